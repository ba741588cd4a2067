/** A config service on a free port with a controller that only writes down what it is told, and a raw client. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ApiSecurity, ReleaseControl, ReloadResult } from '../../../src/api/contract.ts';
import { createApi } from '../../../src/api/server.ts';
import type { ClusterSpec } from '../../../src/core/config/model.ts';
import type { Command, CommandResult, StatusView, VersionView } from '../../../src/core/release/command.ts';

export const ID = 'a37a290f-2088-11e4-b3a6-600308a8245e';

export const VIEW: VersionView = {
  cluster: {
    servers: [{ hostname: '127.0.0.1', port: 1034 }],
    upgradeTransition: { mode: 'SESSION', sessionTimeout: 60 },
    uuid: ID,
    version: '1.0',
  },
};

export interface Service {
  readonly port: number;
  readonly commands: Command[];
  readonly logged: string[];
  /** How long each PUT asked to be waited for. */
  readonly waits: string[];
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly result?: (command: Command) => Promise<CommandResult> | CommandResult;
  readonly security?: Partial<ApiSecurity>;
  readonly follow?: ReleaseControl['follow'];
  /** What a version runs in, as far as the fake parser is concerned. */
  readonly containers?: number;
  /** What becomes of a reload. */
  readonly reload?: ReloadResult;
}

const accept = (): CommandResult => ({ kind: 'accepted', id: ID });

/** Starts a service; it is closed when the test ends. The parser takes JSON and hands `version` through. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const commands: Command[] = [];
  const logged: string[] = [];
  const waits: string[] = [];
  const view = options.containers === undefined ? VIEW : { cluster: { containers: [], ...VIEW.cluster } };
  const api = createApi({
    control: {
      submit: async (command, waiting) => {
        waits.push(waiting?.wait ?? 'a-while');
        commands.push(command.kind === 'put' ? { ...command, spec: asPut(command.spec) } : command);
        return (options.result ?? accept)(command);
      },
      list: () => [VIEW],
      follow: options.follow ?? (() => Promise.resolve(null)),
      find: (id) => (id === ID ? view : undefined),
      status: (id) => (id === ID ? ({ id } as StatusView) : undefined),
      ledger: () => [],
    },
    parse: (body) => parseFake(body, options.containers ?? 0),
    security: { token: null, allowedHosts: [], ...options.security },
    counters: () => ({ since: '2026-11-26T00:00:00.000Z', counters: { exchanges: 7 } }),
    reload: () => Promise.resolve(options.reload ?? { ok: false, text: 'Not here' }),
    log: { write: (level, component, text) => logged.push(`${level} ${component} ${text}`) },
  });
  const { port } = await api.listen('127.0.0.1', 0);
  onTestFinished(() => api.close());
  return { port, commands, logged, waits, close: () => api.close() };
}

function parseFake(body: string, containers: number) {
  if (!body.startsWith('{')) {
    const errors = ['Body: not JSON', 'Second\nreason'];
    return { ok: false, errors } as const;
  }
  const spec = { version: body, containers: Array(containers) } as unknown as ClusterSpec;
  return { ok: true, value: spec, warnings: body.includes('"warn"') ? ['cluster.x: ignored'] : [] } as const;
}

/** What the fake parser made of the body, and no more. */
function asPut({ version }: ClusterSpec): ClusterSpec {
  return { version } as unknown as ClusterSpec;
}

export interface Client {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  /** Everything received once it matches; rejects with what there is when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Everything received, once the service has ended the connection. */
  untilEnd(): Promise<string>;
}

/** Opens a raw connection that keeps its own side open until the test ends. */
export function dial(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let received = '';
  let ended = false;
  let wake = () => {};
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  const over = () => {
    ended = true;
    wake();
  };
  socket.on('end', over);
  socket.on('close', over);
  socket.on('error', over);
  onTestFinished(() => void socket.destroy());
  const wait = (isDone: () => boolean) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    wake = () => {
      if (isDone()) resolve(received);
      else if (ended) reject(new Error(`Connection ended after ${JSON.stringify(received)}`));
    };
    wake();
    return promise;
  };
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    until: (pattern) => wait(() => pattern.test(received)),
    untilEnd: () => wait(() => ended),
  };
}

/** One request on its own connection, as raw text; the answer whole. */
export function exchange(port: number, request: string): Promise<string> {
  const client = dial(port);
  client.send(request);
  return client.untilEnd();
}
