/**
 * A child process's end of the channel to its parent (`node:child_process`). Signals that a terminal or a supervisor sends to all
 * processes at once are left to the parent: the child does as the parent says. It answers by itself when it is asked for a sign of life.
 */

/** The question whether a child is still at work, and the answer; no message of the programs' own. */
export const BEAT = 'beat';

export interface Parent<In, Out> {
  send(message: Out): void;
  /** Resolves when the system has taken the message: the parent will read it, whatever becomes of this process. */
  deliver(message: Out): Promise<void>;
  /** @param handle of a listening socket, where one came with the message */
  onMessage(listener: (message: In, handle: unknown) => void): void;
  /** The parent is gone. */
  onLost(listener: () => void): void;
}

export function parentOf<In, Out>(): Parent<In, Out> {
  if (process.send === undefined) throw new Error('This program is started by Cutover itself, not by hand');
  const send = process.send.bind(process);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  return {
    send(message) {
      // With the parent gone there is nobody to tell; that is noticed by itself.
      if (process.connected) send(message, undefined, undefined, () => {});
    },
    deliver(message) {
      return new Promise((resolve, reject) => {
        if (!process.connected) reject(new Error('The main process is gone'));
        else send(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
      });
    },
    onMessage(listener) {
      process.on('message', (message, handle) => {
        if (message === BEAT) this.send(BEAT as Out);
        else listener(message as In, handle);
      });
    },
    onLost(listener) {
      process.on('disconnect', listener);
    },
  };
}
