/** From the state to the text of its document and back, by way of the older formats. */
import type { ReleaseState } from '../core/release/state.ts';
import { MIGRATIONS, type Migrations } from './migrations.ts';
import { FORMAT, stateSchema, type Writable } from './schema.ts';

export type Read =
  | { readonly kind: 'state'; readonly state: ReleaseState }
  /** Not a document, or not a whole one. `reason` is a clause for people. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** Written by a newer Cutover. */
  | { readonly kind: 'too-new'; readonly format: number };

type Document = Readonly<Record<string, unknown>>;

/**
 * One line for each version and each ledger entry, so that people and their tools find their way.
 *
 * @param writtenMs wall milliseconds, for people
 */
export function documentText(state: ReleaseState, writtenMs: number): string {
  const writable: Writable = state;
  const document = { format: FORMAT, written: new Date(writtenMs).toISOString(), ...writable };
  const lines = Object.entries(document).map(([key, value]) => `"${key}": ${valueText(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function valueText(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value ?? null);
  return value.length === 0 ? '[]' : `[\n${value.map(entryText).join(',\n')}\n]`;
}

/**
 * While traffic flows the document is written again and again, and of a hundred old versions and releases in it nothing
 * changes: the text of an entry is made once.
 */
const texts = new WeakMap<object, string>();

function entryText(entry: object): string {
  let text = texts.get(entry);
  if (text === undefined) {
    text = JSON.stringify(entry);
    texts.set(entry, text);
  }
  return text;
}

/** @param migrations for tests */
export function readDocument(bytes: Uint8Array, migrations: Migrations = MIGRATIONS): Read {
  const document = parse(bytes);
  if (document === null) return { kind: 'damaged', reason: 'it is not a JSON object' };
  const { format } = document;
  if (typeof format !== 'number') return { kind: 'damaged', reason: 'it does not say its format' };
  if (format > FORMAT) return { kind: 'too-new', format };
  try {
    return validated(migrated(document, format, migrations));
  } catch (error) {
    return { kind: 'damaged', reason: `its format ${format} can not be read: ${(error as Error).message}` };
  }
}

function parse(bytes: Uint8Array): Document | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Document) : null;
  } catch {
    return null;
  }
}

function migrated(document: Document, from: number, migrations: Migrations): Document {
  let current = document;
  for (let format = from; format !== FORMAT; format += 1) {
    const migrate = migrations[format];
    if (migrate === undefined) throw new Error('No migration leads from it');
    current = migrate(current);
  }
  return current;
}

function validated(document: Document): Read {
  const result = stateSchema.safeParse(document);
  if (result.success) return { kind: 'state', state: result.data };
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  return { kind: 'damaged', reason: `${path === '' ? '' : `"${path}": `}${issue?.message ?? 'its shape is wrong'}` };
}
