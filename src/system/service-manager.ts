/**
 * The service manager that started this process, where there is one (systemd): the sockets that it passed, and what it wants to be told
 * (sd_listen_fds(3), sd_notify(3)). Node has no datagrams on unix sockets, so `systemd-notify`, a part of systemd, sends them; the unit
 * needs `NotifyAccess=all` for that.
 */
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

export interface ServiceManager {
  ready(): void;
  reloading(): void;
  stopping(): void;
}

const NOBODY: ServiceManager = { ready() {}, reloading() {}, stopping() {} };

/** Tells who started this process, or nobody. Messages are sent in their order, and nothing waits for them. */
export function serviceManager(env: NodeJS.ProcessEnv, log: Log): ServiceManager {
  if (!env.NOTIFY_SOCKET) return NOBODY;
  let failed = false;
  let last: Promise<void> = Promise.resolve();
  const tell = (...variables: readonly string[]): void => {
    last = last.then(async () => {
      const error = await send(variables, env);
      if (error === null || failed) return;
      failed = true;
      log.write('WARNING', 'main', `Telling the service manager failed: systemd-notify: ${error}`);
    });
  };
  return {
    ready: () => tell('READY=1'),
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => tell('STOPPING=1'),
  };
}

function send(variables: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('systemd-notify', [...variables], { env, timeout: 5_000 }, (error) => resolve(error?.message ?? null));
  });
}

export interface PassedSockets {
  /** File descriptors, or null: not passed. */
  readonly proxy: number | null;
  readonly config: number | null;
}

const FIRST = 3;

/** The sockets passed to the process `pid`: by the names `proxy` and `config`, else in this order. */
export function passedSockets(env: NodeJS.ProcessEnv, pid: number): PassedSockets {
  const count = env.LISTEN_PID === String(pid) ? Number(env.LISTEN_FDS ?? 0) : 0;
  if (!(count > 0)) return { proxy: null, config: null };
  const names = (env.LISTEN_FDNAMES ?? '').split(':');
  const named = (name: string): number | null => {
    const index = names.indexOf(name);
    return index >= 0 && index < count ? FIRST + index : null;
  };
  if (named('proxy') !== null || named('config') !== null) return { proxy: named('proxy'), config: named('config') };
  return { proxy: FIRST, config: count > 1 ? FIRST + 1 : null };
}
