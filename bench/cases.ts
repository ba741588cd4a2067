/** What is measured, in the order of the page. */
import { answerCases } from './cases/answers.ts';
import type { Case } from './cases/case.ts';
import { concurrent } from './cases/concurrent.ts';
import { connections } from './cases/connections.ts';
import { fixedRate } from './cases/fixed-rate.ts';
import { growth } from './cases/growth.ts';
import { modes } from './cases/modes.ts';
import { refused } from './cases/refused.ts';
import { switchUnderLoad } from './cases/switch.ts';

export const CASES: readonly Case[] = [
  ...answerCases,
  modes,
  concurrent,
  fixedRate,
  switchUnderLoad,
  refused,
  connections,
  growth,
];
