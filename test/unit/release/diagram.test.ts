import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { releaseStatesPage } from '../../../src/core/release/diagram.ts';

test('docs/release-states.md is what the transition table says (make it anew with scripts/diagrams.ts)', () => {
  const page = readFileSync(new URL('../../../docs/release-states.md', import.meta.url), 'utf8');
  expect(page).toBe(releaseStatesPage());
});
