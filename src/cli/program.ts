/**
 * The command line: the thesis's flags (section 5.5), which start the proxy, and commands beside them.
 *
 * Each command is one file that fills one value and makes one call. Here they are joined, and every way to end becomes an
 * exit code: 0 done, 1 it failed, 2 what was asked for is wrong.
 */
import { Command, CommanderError } from 'commander';
import { ClientError } from '../client.ts';
import { checkCommand } from './check.ts';
import { controlCommands } from './control.ts';
import { deleteCommand } from './delete.ts';
import { goFlags } from './go-flags.ts';
import { ledgerCommand } from './ledger.ts';
import { listCommand } from './list.ts';
import { putCommand } from './put.ts';
import { reloadCommand } from './reload.ts';
import { runCommand } from './run.ts';
import { showCommand } from './show.ts';
import { statusCommand } from './status.ts';
import { Failure, type Terminal } from './terminal.ts';
import { USAGE } from './usage.ts';

/** Runs one command line (without the program's own name) and resolves with the exit code. Never rejects. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    let code = 0;
    const program = createProgram(terminal, (result) => {
      code = result;
    });
    const words = goFlags(argv, program);
    refuseUnknownCommand(words, program);
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    return exitCodeOf(error, terminal);
  }
}

function createProgram(terminal: Terminal, end: (code: number) => void): Command {
  const program = new Command('cutover')
    .exitOverride()
    .enablePositionalOptions()
    .helpCommand(false)
    .helpOption('-h, --help', 'show this message')
    .version(`cutover ${terminal.version}`, '--version', 'show the version of cutover')
    .showHelpAfterError(hint('cutover'))
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text, write) => write(errorLine(text)),
    });
  program.helpInformation = () => USAGE;
  runCommand(program, end);
  checkCommand(program, terminal);
  putCommand(program, terminal);
  listCommand(program, terminal);
  showCommand(program, terminal);
  deleteCommand(program, terminal);
  controlCommands(program, terminal);
  statusCommand(program, terminal);
  ledgerCommand(program, terminal);
  reloadCommand(program, terminal);
  for (const command of program.commands) {
    if (command.name() !== 'run') command.showHelpAfterError(hint(`cutover ${command.name()}`));
  }
  return program;
}

/** In place of the usage itself, above which the fault would be out of sight. */
function hint(command: string): string {
  return `"${command} --help" shows how it is used`;
}

/** Without this, commander would hand the word to the default command and complain of one argument too many. */
function refuseUnknownCommand(words: readonly string[], program: Command): void {
  const [word] = words;
  if (word === undefined || word.startsWith('-')) return;
  if (!program.commands.some((command) => command.name() === word)) {
    throw new Failure(`Unknown command ${JSON.stringify(word)}\n${hint('cutover')}`, 2);
  }
}

function exitCodeOf(error: unknown, terminal: Terminal): number {
  // Commander has shown its own message by now: help and version on standard output, a complaint on standard error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  terminal.err(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof Failure) return error.exitCode;
  if (!(error instanceof ClientError) && terminal.env.CUTOVER_DEBUG) terminal.err(`${(error as Error)?.stack}\n`);
  return 1;
}

/** `error: unknown option '--x'` and a hint on a second line become one line in our own style. */
function errorLine(text: string): string {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}\n`;
}
