import type { Mode } from '../config/model.ts';
import { concurrent } from './concurrent.ts';
import { gradual } from './gradual.ts';
import { instant } from './instant.ts';
import type { ModePolicy } from './policy.ts';
import { session } from './session.ts';

/** The policy of each mode; a mode without one does not compile. */
export const policies: Readonly<Record<Mode, ModePolicy>> = {
  INSTANT: instant,
  SESSION: session,
  GRADUAL: gradual,
  CONCURRENT: concurrent,
};
