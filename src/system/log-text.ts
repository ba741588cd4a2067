import type { FormatLine } from './log-json.ts';
import { localStamps, realWall, type Wall } from './log-time.ts';

/**
 * Lines in the thesis's form, with the speaking part in place of its file and line:
 * `2026/11/23 09:38:28.804241 exchange: INFO - Serving response …`. A text of several lines is kept as it is.
 */
export function textLines(wall: Wall = realWall()): FormatLine {
  const stamp = localStamps();
  return (event) => `${stamp(wall())} ${event.component}: ${event.level} - ${printable(event.text)}\n`;
}

// Line feeds and tabs stay. Every other control character is spelled out, so that no text from outside can move a
// terminal's cursor or forge a line by a carriage return.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

function printable(text: string): string {
  return text.replace(CONTROL, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
