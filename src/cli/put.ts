/** `cutover put`: adds a version and prints its id alone, for scripts; how containers come to run goes to standard error. */
import type { Command } from 'commander';
import type { ClusterInput } from '../client.ts';
import type { Mode, ServerAddress } from '../core/config/model.ts';
import { readTextFile } from '../system/files.ts';
import { tellingProgress } from './put-progress.ts';
import { tellStanding } from './standing.ts';
import { clientFor, type TargetFlags, withTarget } from './target.ts';
import { Failure, type Terminal } from './terminal.ts';
import { mode, nonEmpty, number, servers } from './values.ts';

interface PutFlags extends TargetFlags {
  readonly server?: readonly ServerAddress[];
  readonly image?: string;
  readonly port?: number;
  readonly version?: string;
  readonly mode?: Mode;
  readonly sessionTimeout?: number;
  readonly percentage?: number;
  readonly uuid?: string;
}

export function putCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('put')
    .description('add a version to the running proxy; prints its id')
    .argument('[file]', 'a request body in JSON, "-" for standard input, in place of the flags')
    .option('--server <host:port>', 'a server of the version; give it once for each', servers)
    .option('--image <image>', 'an image to start a container of, in place of servers', nonEmpty)
    .option('--port <port>', 'with --image, the port that the container listens on', number)
    .option('--version <version>', 'what the version is called (default: "0.0")', nonEmpty)
    .option('--mode <mode>', MODE_HELP, mode)
    .option('--session-timeout <seconds>', 'of mode SESSION, which it stands for where no mode is given', number)
    .option('--percentage <percent>', 'percentage transition per request, of mode GRADUAL, which it stands for', number)
    .option('--uuid <uuid>', 'the id to take', nonEmpty);
  withTarget(command).action(async (file: string | undefined, flags: PutFlags) => {
    const cluster = file === undefined ? fromFlags(flags) : fromFile(file, flags);
    const client = await clientFor(flags, terminal);
    const id = await tellingProgress(terminal, (told) => client.put(cluster, told));
    terminal.out(`${id}\n`);
    await tellStanding(client, id, terminal);
  });
}

const MODE_HELP =
  'INSTANT, SESSION, GRADUAL or CONCURRENT (default: the one that a flag below belongs to, else INSTANT)';

function fromFlags(flags: PutFlags): ClusterInput {
  const { version, uuid, sessionTimeout, percentage } = flags;
  const options = {
    ...(sessionTimeout !== undefined && { sessionTimeout }),
    ...(percentage !== undefined && { percentageTransitionPerRequest: percentage }),
  };
  const mode = modeOf(flags);
  const transition = { ...(mode !== undefined && { mode }), ...options };
  return {
    ...serversOrContainers(flags),
    ...(version !== undefined && { version }),
    ...(uuid !== undefined && { uuid }),
    ...(Object.keys(transition).length > 0 && { upgradeTransition: transition }),
  };
}

/** As given, or the mode that an option belongs to; undefined leaves it to the proxy. */
function modeOf({ mode, percentage, sessionTimeout }: PutFlags): Mode | undefined {
  const gradual = percentage !== undefined;
  const session = sessionTimeout !== undefined;
  if (mode === undefined) {
    if (gradual && session) throw new Failure(`${PERCENTAGE} and ${SESSION_TIMEOUT_TOO}: give one of them`, 2);
    if (gradual) return 'GRADUAL';
    return session ? 'SESSION' : undefined;
  }
  if (gradual && mode !== 'GRADUAL') throw new Failure(`${PERCENTAGE}, not ${mode}`, 2);
  if (session && mode !== 'SESSION') throw new Failure(`"--session-timeout" belongs to mode SESSION, not ${mode}`, 2);
  return mode;
}

const PERCENTAGE = '"--percentage" belongs to mode GRADUAL';
const SESSION_TIMEOUT_TOO = '"--session-timeout" to mode SESSION';

function serversOrContainers({ server, image, port }: PutFlags): Pick<ClusterInput, 'servers' | 'containers'> {
  if (server !== undefined && image !== undefined)
    throw new Failure('"cutover put" needs --server or --image, not both', 2);
  if (image === undefined && port !== undefined) throw new Failure('"--port" belongs to --image', 2);
  if (image !== undefined) {
    if (port === undefined) throw new Failure('"cutover put --image" needs --port, which the container listens on', 2);
    return { containers: [{ image, portToProxy: port }] };
  }
  if (server === undefined) throw new Failure('"cutover put" needs --server HOST:PORT, --image IMAGE or a file', 2);
  return { servers: server.map((one) => ({ hostname: one.host, port: one.port })) };
}

function fromFile(file: string, flags: PutFlags): string {
  const { server, image, port, version, uuid, sessionTimeout, percentage } = flags;
  const both = [server, image, port, version, uuid, flags.mode, sessionTimeout, percentage].some(
    (value) => value !== undefined,
  );
  if (both) throw new Failure('"cutover put" needs a file or flags that describe the version, not both', 2);
  const body = readTextFile(file === '-' ? '/dev/stdin' : file);
  if (!body.ok) throw new Failure(body.reason, 2);
  return body.text;
}
