import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf, type JournalRecord, readJournal, recordBytes } from '../../../src/store/journal.ts';

const DOCUMENT = Buffer.from('{"format": 3}');
const OTHER = Buffer.from('{"format": 3, "by": "hand"}');
const SLOT_BYTES = 4096;

const record = (sequence: number, more: Partial<JournalRecord> = {}): JournalRecord => ({
  sequence,
  after: [digestOf(DOCUMENT)],
  text: `{"sequence": ${sequence}}`,
  ...more,
});

/** A journal with these records in its slots. */
function journalWith(...records: readonly (JournalRecord | null)[]): Buffer {
  const journal = Buffer.alloc(2 * SLOT_BYTES);
  for (const [slot, one] of records.entries()) {
    if (one !== null) journal.set(recordBytes(one), slot * SLOT_BYTES);
  }
  return journal;
}

describe('the record that counts', () => {
  test.for([
    ['none', journalWith(), null],
    ['the only one', journalWith(null, record(1)), 1],
    ['the later one', journalWith(record(4), record(3)), 4],
    ['the one that follows the document', journalWith(record(2, { after: [digestOf(OTHER)] }), record(1)), 1],
    [
      'one that follows this document or another',
      journalWith(record(2, { after: [digestOf(OTHER), digestOf(DOCUMENT)] })),
      2,
    ],
    ['none that follows another document', journalWith(record(2, { after: [digestOf(OTHER)] })), null],
    ['none that follows none', journalWith(record(2, { after: [] })), null],
    ['of an empty file none', Buffer.alloc(0), null],
  ] as const)('%s', ([, journal, sequence]) => {
    expect(readJournal(journal, DOCUMENT)).toEqual({
      record: sequence === null ? null : expect.objectContaining({ sequence }),
      isTorn: false,
    });
  });

  test('is read as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), fc.nat(), (text, sequence) => {
        const written = record(sequence, { text: text.toWellFormed() });
        expect(readJournal(journalWith(null, written), DOCUMENT)).toEqual({ record: written, isTorn: false });
      }),
    );
  });
});

describe('a damaged journal', () => {
  const [older, newer] = [record(1, { text: 'old'.repeat(300) }), record(2, { text: 'new'.repeat(300) })];
  const whole = journalWith(newer, older);

  test('wherever it is cut short has one of the records, or none', () => {
    for (let length = 0; length < whole.length; length += 7) {
      const { record: found } = readJournal(whole.subarray(0, length), DOCUMENT);
      expect([null, older, newer]).toContainEqual(found);
    }
  });

  test('in which any byte is another has the other record, and says so', () => {
    const end = recordBytes(newer).length;
    fc.assert(
      fc.property(fc.nat(end - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        const isBlank = damaged[0] === 0;
        expect(readJournal(damaged, DOCUMENT)).toEqual({ record: older, isTorn: !isBlank });
      }),
    );
  });

  test('in which a record was torn has the one before it', () => {
    const [before, after] = [whole, journalWith(record(4, { text: 'newest'.repeat(300) }), older)];
    for (let at = 1; at < recordBytes(record(4, { text: 'newest'.repeat(300) })).length; at += 1) {
      for (const [first, second] of [
        [before, after],
        [after, before],
      ] as const) {
        const torn = Buffer.concat([first.subarray(0, at), second.subarray(at)]);
        expect([older, readJournal(first, DOCUMENT).record, readJournal(second, DOCUMENT).record]).toContainEqual(
          readJournal(torn, DOCUMENT).record,
        );
      }
    }
  });

  test('of any bytes has nothing, and does not throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(readJournal(bytes, DOCUMENT).record).toBeNull();
      }),
    );
    for (const text of ['null', '[]', '7', '{"bytes": -1}', '{"bytes": 1e9}', '{}']) {
      expect(readJournal(Buffer.from(`${'0'.repeat(64)} ${text}\n`), DOCUMENT).record).toBeNull();
    }
  });
});
