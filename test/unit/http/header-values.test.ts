/** When a server's 101 is one that the client asked for. */
import { expect, it } from 'vitest';
import { kind } from '../../../src/core/http/field-kinds.ts';
import { FieldLines } from '../../../src/core/http/fields.ts';
import { acceptsOffer } from '../../../src/core/http/header-values.ts';

function upgrade(...values: string[]): FieldLines {
  const fields = new FieldLines();
  for (const value of values) {
    const start = fields.text.length;
    fields.text += `upgrade: ${value}\r\n`;
    fields.add(start, start + 7, start + 9, start + 9 + value.length, kind.upgrade);
  }
  return fields;
}

it.each([
  ['websocket', ['websocket'], true],
  ['websocket', ['WebSocket'], true],
  ['a, b/1', ['b/1'], true],
  ['a, b/1', ['a, b/1'], true],
  ['a, b/1', ['a', 'b/1'], true],
  ['a', ['b'], false],
  ['a', ['a, b'], false],
  ['a', ['a', 'h2c'], false],
  ['a/1', ['a'], false],
  ['a', [''], false],
  ['a', [], false],
  ['', ['a'], false],
  ['', [''], false],
])('of an offer of %j, %j is accepted: %s', (offered, named, accepted) => {
  expect(acceptsOffer(offered, upgrade(...named))).toBe(accepted);
});

it('copies a section with all it knows', () => {
  const fields = upgrade('a', 'b');
  const copy = fields.copy();
  fields.clear();
  expect(copy.count).toBe(2);
  expect(copy.value(1)).toBe('b');
  expect(copy.repeats(kind.upgrade)).toBe(true);
  expect(copy.has(kind.host)).toBe(false);
  expect(copy.findKind(kind.upgrade, 1)).toBe(1);
  expect(copy.get('upgrade')).toBe('a');
  expect(copy.get('Upgrade')).toBeUndefined();
});
