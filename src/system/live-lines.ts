/**
 * Lines at the end of a terminal that change while they stand there. The cursor rests at the beginning of the first of them, so that
 * what anybody else writes, another process on the same terminal, takes their place and is not overwritten: they are drawn anew below.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a terminal is there that can show them, and nobody has asked for plain text (no-color.org). */
export function showsLiveLines(stream: { readonly isTTY?: boolean }, { NO_COLOR, TERM }: Environment): boolean {
  return stream.isTTY === true && !NO_COLOR && TERM !== undefined && TERM !== '' && TERM !== 'dumb';
}

/**
 * Text that puts these lines in the place of those that were there, from where the cursor rests; none: they are gone.
 * @param columns the width of the terminal
 */
export function drawn(lines: readonly string[], columns: number): string {
  const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : '';
  return `${CLEAR}${lines.map((line) => line.slice(0, columns - 1)).join('\n')}${up}\r`;
}

/** Everything from the cursor to the end of the screen. */
export const CLEAR = '\x1b[J';
