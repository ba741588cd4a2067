import { describe, expect, test } from 'vitest';
import { EMPTY_STATE, type ReleaseState } from '../../../src/core/release/state.ts';
import { documentText, readDocument } from '../../../src/store/document.ts';
import type { Migrations } from '../../../src/store/migrations.ts';
import { releasing, stateWith } from './states.ts';

const read = (text: string, migrations?: Migrations) => readDocument(Buffer.from(text), migrations);

const edited = (edit: (document: Record<string, unknown>) => unknown): string => {
  const document = JSON.parse(documentText(stateWith(2), 0)) as Record<string, unknown>;
  return JSON.stringify(edit(document) ?? document);
};

test.for<[string, ReleaseState]>([
  ['an empty state', EMPTY_STATE],
  ['versions', stateWith(3)],
  ['a release', releasing(1, 7).state],
])('%s is read as it was written', ([, state]) => {
  expect(read(documentText(state, 1_700_000_000_000))).toEqual({ kind: 'state', state });
});

test('the document says its format first, and when it was written', () => {
  expect(documentText(EMPTY_STATE, 1_700_000_000_000)).toMatch(
    /^\{\n"format": 3,\n"written": "2023-11-14T22:13:20\.000Z",\n/,
  );
});

test('each version has a line of its own', () => {
  const lines = documentText(stateWith(3), 0).split('\n');
  expect(lines.filter((line) => line.startsWith('{"id":'))).toHaveLength(3);
});

describe('damaged', () => {
  test.for([
    ['nothing at all', ''],
    ['no JSON', 'state'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no format', '{}'],
    ['zeros', '\0'.repeat(100)],
  ])('%s', ([, text]) => {
    expect(read(text as string)).toMatchObject({ kind: 'damaged' });
  });

  test('bytes that are no UTF-8', () => {
    expect(readDocument(new Uint8Array([0x7b, 0xff, 0x7d]))).toMatchObject({ kind: 'damaged' });
  });

  test('every document that ends early', () => {
    const text = documentText(stateWith(2), 0).trimEnd();
    for (let end = 0; end < text.length; end += 1) {
      expect(read(text.slice(0, end)), text.slice(0, end)).toMatchObject({ kind: 'damaged' });
    }
  });

  test('every document that lacks a part, with the path of the part', () => {
    const paths: string[] = [];
    const state = JSON.parse(documentText(releasing(1, 3).state, 0)) as Record<string, unknown>;
    const drop = (value: unknown, path: string, root: () => string): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        const here = path === '' ? key : `${path}.${key}`;
        if (['written', 'applied'].includes(key) || path.endsWith('shownTransition')) continue;
        delete (value as Record<string, unknown>)[key];
        if (!Array.isArray(value)) {
          expect(read(root()), here).toMatchObject({ kind: 'damaged' });
          paths.push(here);
        }
        (value as Record<string, unknown>)[key] = inner;
        drop(inner, here, root);
      }
    };
    drop(state, '', () => JSON.stringify(state));
    expect(paths).toContain('versions.0.spec.transition.regretWindowMs');
    expect(paths.length).toBeGreaterThan(30);
  });

  test.for<[string, (document: { versions: Record<string, unknown>[]; [key: string]: unknown }) => void, RegExp]>([
    ['an unknown phase', ({ versions }) => Object.assign(versions[0] ?? {}, { phase: 'gone' }), /"versions\.0\.phase"/],
    ['a threshold over 100', ({ versions }) => Object.assign(versions[0] ?? {}, { threshold: 101 }), /threshold/],
    ['an id twice', ({ versions }) => Object.assign(versions[0] ?? {}, { id: versions[1]?.id }), /same id/],
    ['a PUT too few', (document) => Object.assign(document, { putSequence: 1 }), /last PUT/],
    ['an epoch too few', (document) => Object.assign(document, { epochSequence: 1 }), /epoch/],
  ])('%s', ([, change, reason]) => {
    const text = edited((document) => {
      change(document as never);
    });
    expect(read(text)).toMatchObject({ kind: 'damaged', reason: expect.stringMatching(reason) });
  });
});

describe('formats', () => {
  /** As if the versions had been called clusters before. */
  const older = edited(({ versions, format: _, ...rest }) => ({ format: 2, clusters: versions, ...rest }));
  const migrations: Migrations = { 2: ({ clusters, ...rest }) => ({ ...rest, versions: clusters }) };

  test('an older one is migrated', () => {
    expect(read(older, migrations)).toEqual({ kind: 'state', state: stateWith(2) });
  });

  test('step by step', () => {
    const oldest = older.replace('"format":2', '"format":1').replace('"clusters"', '"groups"');
    const both = {
      ...migrations,
      1: ({ groups, ...rest }: Record<string, unknown>) => ({ ...rest, clusters: groups }),
    };
    expect(read(oldest, both)).toEqual({ kind: 'state', state: stateWith(2) });
  });

  test('one that nothing leads from is damaged, and so is one whose migration fails', () => {
    const oldest = older.replace('"format":2', '"format":0');
    expect(read(oldest)).toMatchObject({ kind: 'damaged', reason: expect.stringContaining('format 0') });
    const failing: Migrations = {
      2: () => {
        throw new Error('No clusters');
      },
    };
    expect(read(older, failing)).toMatchObject({ kind: 'damaged', reason: expect.stringContaining('No clusters') });
  });

  test('format 1, of before there were containers, is read as if it had none', () => {
    const first = edited(({ seen: _____, ...document }) => ({
      ...document,
      format: 1,
      versions: (document.versions as Record<string, unknown>[]).map(
        ({ launch: _, replaces: __, spec, ...version }) => {
          const { containers: ___, shownContainers: ____, ...old } = spec as Record<string, unknown>;
          return { ...version, spec: old };
        },
      ),
    }));
    expect(first).not.toContain('shownContainers');
    expect(read(first)).toEqual({ kind: 'state', state: stateWith(2) });
  });

  test('format 2, which did not know since when images have been seen, is read as if none had been', () => {
    const second = edited(({ seen: _, ...document }) => ({ ...document, format: 2 }));
    expect(read(second)).toEqual({ kind: 'state', state: stateWith(2) });
  });

  test('a newer one is told apart, whatever else it holds', () => {
    expect(read('{"format": 4, "everything": "else"}')).toEqual({ kind: 'too-new', format: 4 });
  });
});
