/** docs/configuration.md names every key, and says of each key without effect that it has none yet. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { notYetWarnings } from '../../../src/core/config/in-force.ts';
import { fileSchema } from '../../../src/core/config/schema.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
const ROWS = TEXT.split('\n').filter((line) => line.startsWith('| `'));

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

const schema = z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }) as Shape;

/** The rows of these are objects whose own keys the row itself names. */
const WHOLE = ['cluster.upgradeTransition.replay', 'dockerHost', 'cluster.dockerHost'];

function keys(shape: Shape, path: string): readonly string[] {
  if (WHOLE.includes(path) || path === 'state') return [path];
  const inner = shape.properties ?? shape.items?.properties;
  if (inner === undefined) return [path];
  const prefix = path === '' ? '' : `${path}${shape.items === undefined ? '' : '[]'}.`;
  return Object.entries(inner).flatMap(([key, value]) => keys(value, `${prefix}${key}`));
}

function rowOf(path: string): string | undefined {
  const option = path.replace(/^cluster\.(upgradeTransition\.|(?=healthCheck\.))/, '');
  return (
    ROWS.find((row) => row.startsWith(`| \`${option}\``)) ??
    ROWS.find((row) => row.includes(`\`${path.replace(/^.*(?=\.)/, '')}\``))
  );
}

const PATHS = keys(schema, '').filter((path) => !path.startsWith('cluster.containers'));

test('every key has its row', () => {
  expect(PATHS.length).toBeGreaterThan(50);
  expect(PATHS.filter((path) => rowOf(path) === undefined)).toEqual([]);
});

test('the rows say "not yet" of the keys that are warned of, and of no others', () => {
  const value = { file: 'x' };
  const marked = PATHS.filter((path) => rowOf(path)?.includes('| not yet'));
  const warned = PATHS.filter((path) => {
    const root = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    return notYetWarnings(root).length > 0;
  });
  expect(marked).toEqual(warned);
});

test('every field of a container is named', () => {
  const fields = Object.keys(schema.properties?.cluster?.properties?.containers?.items?.properties ?? {});
  expect(fields.length).toBe(29);
  expect(fields.filter((field) => !TEXT.includes(`\`${field}\``))).toEqual([]);
});

test('the example is a configuration that is accepted', () => {
  const example = /```json\n(.*?)```/s.exec(TEXT)?.[1] ?? '';
  expect(fileSchema.safeParse(JSON.parse(example)).success).toBe(true);
});
