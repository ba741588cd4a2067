/**
 * Flags as Go programs take them, the thesis's among them: one dash or two, the value after `=` or as the next word, and
 * also `-configFile= "x"`, as the thesis prints it (section 5.5). They become what commander reads.
 */
import type { Command, Option } from 'commander';

/** The thesis's names, and one in its manner. */
const GO_NAMES: Readonly<Record<string, string>> = {
  configFile: 'config',
  logLevel: 'log-level',
  logFormat: 'log-format',
};

/** The command line with every known flag in commander's form. Unknown words stay as they are, for the error line. */
export function goFlags(argv: readonly string[], program: Command): string[] {
  const options = [program, ...program.commands].flatMap((command) => command.options);
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] as string;
    if (word === '--') return [...words, ...argv.slice(index)];
    const flag = readFlag(word, options);
    if (flag === null) {
      words.push(word);
      continue;
    }
    const next = argv[index + 1];
    if (flag.value === '' && next !== undefined && !/^-./.test(next)) {
      words.push(`--${flag.name}=${next}`);
      index += 1;
    } else {
      words.push(flag.value === null ? `--${flag.name}` : `--${flag.name}=${flag.value}`);
    }
  }
  return words;
}

interface Flag {
  readonly name: string;
  /** null: no `=` was given. */
  readonly value: string | null;
}

function readFlag(word: string, options: readonly Option[]): Flag | null {
  const match = /^--?([A-Za-z][A-Za-z-]+)(?:=(.*))?$/s.exec(word);
  if (match === null) return null;
  const given = match[1] as string;
  const name = GO_NAMES[given] ?? given;
  const known = name === 'help' || options.some((option) => option.long === `--${name}`);
  return known ? { name, value: match[2] ?? null } : null;
}
