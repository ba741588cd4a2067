import type { Log } from './system/log.ts';

/** What runs until a signal ends it. */
export interface Stoppable {
  /** Takes nothing new, lets what is in flight finish, then ends. */
  drain(): Promise<void>;
  /** Ends at once; what is in flight is cut. */
  close(): Promise<void>;
}

let hangupIsDue = false;

function remember(): void {
  hangupIsDue = true;
}

/** From now on a SIGHUP is kept for `untilEnded`; it would end a process that does not listen to it. */
export function keepHangups(): void {
  process.on('SIGHUP', remember);
}

/**
 * Drains at the first SIGTERM or SIGINT; a second one ends what is left at once.
 *
 * @returns the exit code
 */
export function untilEnded(running: Stoppable, log: Log, onHangup: () => void): Promise<number> {
  return new Promise((resolve) => {
    let exitCode: number | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (exitCode === null) {
        exitCode = 0;
        log.always('NOTICE', 'main', `${signal}: no new connections, what is in flight finishes`);
        void running.drain().then(() => resolve(exitCode ?? 0));
      } else {
        exitCode = 1;
        log.write('WARNING', 'main', `${signal} again: what is in flight is cut`);
        void running.close().then(() => resolve(1));
      }
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('SIGHUP', onHangup);
    process.off('SIGHUP', remember);
    if (hangupIsDue) onHangup();
  });
}
