import { readJournal } from '../../src/store/journal.ts';
import type { FakeDisk } from './fake-disk.ts';

/** The text of the state that a start would find on the disk: the journal's, where it follows the document. */
export function keptText(disk: FakeDisk, path: string): string | undefined {
  const [document, journal] = [disk.bytes(path), disk.bytes(`${path}.journal`)];
  if (document === undefined) return undefined;
  const record = journal === undefined ? null : readJournal(journal, document).record;
  return record?.text ?? document.toString();
}
