/** Writes the pages of `docs/` that are made from the source. */
import { writeFileSync } from 'node:fs';
import { releaseStatesPage } from '../src/core/release/diagram.ts';

writeFileSync(new URL('../docs/release-states.md', import.meta.url), releaseStatesPage());
