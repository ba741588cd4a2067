/** What is measured. A new case is an entry here; the application that answers is in `peers/nginx.ts`. */
import type { LoadShape } from './wrk.ts';

export interface Case extends LoadShape {
  readonly name: string;
  readonly title: string;
}

export const CASES: readonly Case[] = [
  { name: 'small', title: 'A small answer (35 bytes) over 64 kept-alive connections', connections: 64, path: '/' },
];
