/** What Cutover has acknowledged, and must still be so after it has died. */
import type { Controller } from '../../src/control/controller.ts';
import type { Command } from '../../src/core/release/command.ts';
import type { VersionPhase } from '../../src/core/release/state.ts';

interface Standing {
  readonly phase: VersionPhase;
  readonly paused: boolean | null;
}

export class Promises {
  /** By version id: what was asked of it last, as far as it is final. */
  readonly #asked = new Map<string, 'put' | 'delete' | 'rollback'>();

  /** @param startedAgain what a stable version is rolled back to once that is ready */
  note(command: Command, id: string, startedAgain: string | undefined): void {
    if (startedAgain !== undefined) this.#asked.set(startedAgain, 'put');
    else if (command.kind === 'put') this.#asked.set(id, 'put');
    else if (command.kind === 'delete' || command.kind === 'rollback') this.#asked.set(id, command.kind);
  }

  /** How each version stands. */
  look(controller: Controller): ReadonlyMap<string, Standing> {
    const standings = new Map<string, Standing>();
    for (const id of this.#asked.keys()) {
      const status = controller.status(id);
      if (status !== undefined) standings.set(id, { phase: status.phase, paused: status.paused });
    }
    return standings;
  }

  /**
   * What is wrong after a restart, or null.
   * @param before how the versions stood when nothing was under way; `any` when something was
   */
  judge(controller: Controller, before: ReadonlyMap<string, Standing> | 'any'): string | null {
    for (const { id, replaces } of controller.state().versions) {
      // A rollback to it was kept, and there was no time to acknowledge it.
      if (replaces !== null) this.#asked.set(id, 'put');
    }
    for (const [id, asked] of this.#asked) {
      const phase = controller.status(id)?.phase;
      if (phase === undefined) return `Version ${id} was acknowledged (${asked}) and is unknown`;
      const isGone = phase === 'draining' || phase === 'retired' || phase === 'failed';
      if (asked !== 'put' && !isGone) return `Version ${id} was acknowledged (${asked}) and is ${phase}`;
    }
    if (before === 'any') return null;
    for (const [id, was] of before) {
      const now = controller.status(id);
      const mayMove = was.phase === 'starting' || was.phase === 'draining';
      if (!mayMove && (now?.phase !== was.phase || now.paused !== was.paused)) {
        return `Version ${id} was ${told(was)} and is ${now === undefined ? 'unknown' : told(now)}`;
      }
    }
    return null;
  }
}

function told({ phase, paused }: Standing): string {
  return paused === true ? `${phase} and paused` : phase;
}
