/** Opens the state at start: takes its lock, reads the document and its journal, and proves that it can be written. */
import { dirname } from 'node:path';
import type { ReleaseState } from '../core/release/state.ts';
import type { Clock } from '../system/clock.ts';
import { causeOf, type Files } from '../system/files.ts';
import type { Log } from '../system/log.ts';
import { readDocument } from './document.ts';
import { temporaryPath } from './document-file.ts';
import { StateFault } from './fault.ts';
import { FileStore } from './file.ts';
import { type JournalRead, journalPath, readJournal } from './journal.ts';
import type { Lock } from './lock.ts';
import { FORMAT } from './schema.ts';

export interface OpenParts {
  /** The state file, which need not exist. */
  readonly path: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  /** `takeLock`, or a test's. */
  readonly lock: (realPath: string) => Promise<Lock | null>;
}

export interface OpenState {
  readonly store: FileStore;
  /** What an earlier process left, or null. */
  readonly state: ReleaseState | null;
  /** Writes what is still to be written and gives the lock back. Never rejects. */
  close(): Promise<void>;
}

/** Rejects with a `StateFault`. A damaged document is set aside and logged; the state is null then. */
export async function openState(parts: OpenParts): Promise<OpenState> {
  const path = await realPathOf(parts);
  const lock = await lockOf(path, parts);
  try {
    const loaded = await load({ ...parts, path });
    const state = loaded?.state ?? null;
    await proveWritable({ ...parts, path }, state);
    const store = new FileStore({ ...parts, path }, state, loaded?.where);
    const end = async (): Promise<void> => {
      await store.close();
      await lock.release();
    };
    let ended: Promise<void> | null = null;
    return {
      store,
      state,
      close() {
        // Once: from then on the files may be another Cutover's.
        ended ??= end();
        return ended;
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function realPathOf({ path, files }: OpenParts): Promise<string> {
  try {
    return await files.realPath(path);
  } catch (error) {
    throw unusable(`Opening the state ${JSON.stringify(path)} failed: its folder: ${causeOf(error)}`);
  }
}

async function lockOf(path: string, parts: OpenParts): Promise<Lock> {
  const lock = await parts.lock(path).catch((error: unknown) => {
    throw unusable(`Locking the state ${JSON.stringify(path)} failed: ${causeOf(error)}`);
  });
  if (lock !== null) return lock;
  throw new StateFault('in-use', `The state ${JSON.stringify(path)} is in use by another Cutover`);
}

interface Loaded {
  readonly state: ReleaseState;
  readonly where: 'document' | 'journal';
}

async function load(parts: OpenParts): Promise<Loaded | null> {
  const { path, files } = parts;
  const bytes = await files.read(path).catch((error: unknown) => {
    throw unusable(`Reading the state ${JSON.stringify(path)} failed: ${causeOf(error)}`);
  });
  if (bytes === null) return null;
  const read = readDocument(bytes);
  switch (read.kind) {
    case 'state':
      return (await loadRecord(parts, bytes)) ?? { state: read.state, where: 'document' };
    case 'too-new':
      throw unusable(
        `The state ${JSON.stringify(path)} has format ${read.format} and this Cutover reads formats up to ${FORMAT}: start a newer one, or move the file away`,
      );
    case 'damaged':
      await setAside(parts, read.reason);
      return null;
  }
}

/** What was saved after the document. Whatever is wrong with the journal, the document is a state to serve by. */
async function loadRecord({ path, files, log }: OpenParts, document: Uint8Array): Promise<Loaded | null> {
  const journal = JSON.stringify(journalPath(path));
  const warn = (text: string): void => {
    log.write('WARNING', 'store', `${text}: what was saved last may be missing`);
  };
  let found: JournalRead;
  try {
    const bytes = await files.read(journalPath(path));
    if (bytes === null) return null;
    found = readJournal(bytes, document);
  } catch (error) {
    warn(`Reading the journal ${journal} failed: ${causeOf(error)}`);
    return null;
  }
  if (found.isTorn) warn(`The journal ${journal} has a record that is not whole, as a power cut leaves it`);
  if (found.record === null) return null;
  const read = readDocument(Buffer.from(found.record.text));
  if (read.kind === 'state') return { state: read.state, where: 'journal' };
  warn(`The journal ${journal} has a record that can not be used`);
  return null;
}

async function setAside({ path, files, clock, log }: OpenParts, reason: string): Promise<void> {
  const aside = `${path}.damaged-${new Date(clock.wallMs()).toISOString().replaceAll(':', '-')}`;
  const fault = `The state ${JSON.stringify(path)} is damaged (${reason})`;
  try {
    await files.rename(path, aside);
    await files.syncFolder(dirname(path));
  } catch (error) {
    throw unusable(`${fault} and can not be set aside: ${causeOf(error)}`);
  }
  log.write('ERROR', 'store', `${fault}: it is kept as ${JSON.stringify(aside)}, and the configuration is used`);
}

/** Full disks come and go: with a state to serve by, that alone is no reason not to start. */
const PASSING: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

async function proveWritable({ path, files, log }: OpenParts, state: ReleaseState | null): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await files.writeNew(temporary, '\n');
    await files.remove(temporary);
  } catch (error) {
    const text = `Writing beside the state ${JSON.stringify(path)} failed: ${causeOf(error)}`;
    const passing = state !== null && PASSING.includes((error as { code?: unknown }).code);
    if (!passing) throw unusable(`${text}; "state.file" can name another place, and "state": null keeps nothing`);
    log.write('ERROR', 'store', `${text}; changes are refused until it succeeds`);
  }
}

function unusable(text: string): StateFault {
  return new StateFault('unusable', text);
}
