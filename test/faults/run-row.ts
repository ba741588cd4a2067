/** Runs one row of the matrix on one proxy, and says what came of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIENTS, Load, type Result } from './load.ts';
import type { Row } from './matrix.ts';
import type { Subject } from './subjects/subject.ts';
import { startVersion } from './version.ts';

export interface RowSize {
  /** Requests by all clients once the new version is in. */
  readonly requests: number;
  /** What is not asked by then is not asked. */
  readonly limitMs: number;
}

export interface RowReport {
  /** Every request, those before the upgrade among them. */
  readonly results: readonly Result[];
  /** Ids that one version applied more than once, or both applied, with how often. */
  readonly repeated: readonly Repeated[];
  readonly candidateServes: boolean | null;
}

export interface Repeated {
  readonly id: string;
  readonly method: string;
  readonly old: number;
  readonly new: number;
}

/** Requests that the older version answers before the upgrade. */
const WARM_UP = 5 * CLIENTS;
/** What is to be taken back is taken back within this time. */
const FATE_LIMIT_MS = 10_000;

export async function runRow(subject: Subject, row: Row, size: RowSize): Promise<RowReport> {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-faults-'));
  const toStop: (() => Promise<void>)[] = [];
  try {
    const { healthyRequests } = row;
    const [older, candidate] = await Promise.all([
      startVersion(folder, { version: 'old', faults: row.older, healthyRequests: 0 }),
      startVersion(folder, { version: 'new', faults: row.candidate, healthyRequests }),
    ]);
    toStop.push(older.stop, candidate.stop);
    const proxy = await subject.start({ folder, older: older.ports, candidate: candidate.ports });
    toStop.push(proxy.stop);
    const load = new Load(proxy.port, row);
    await load.until(WARM_UP, size.limitMs);
    await proxy.upgrade();
    const fateMs = performance.now() + FATE_LIMIT_MS;
    await load.until(load.results.length + size.requests, size.limitMs);
    let candidateServes = await proxy.candidateServes();
    // What is to be taken back may take a moment longer than that many requests, and clients go on meanwhile.
    while (candidateServes && row.expected.fate === 'rolled back' && performance.now() < fateMs) {
      await load.until(load.results.length + CLIENTS, size.limitMs);
      candidateServes = await proxy.candidateServes();
    }
    const results = await load.end();
    const [byOld, byNew] = [older.applied(), candidate.applied()];
    const repeated = results
      .map(({ id, method }) => ({ id, method, old: byOld.get(id) ?? 0, new: byNew.get(id) ?? 0 }))
      .filter((times) => times.old + times.new > 1);
    return { results, repeated, candidateServes };
  } finally {
    await Promise.all(toStop.reverse().map((stop) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}
