/** Who goes first where more wants to run than there are cores. */
import { constants, setPriority } from 'node:os';

/** Lets this process go before others, where the system allows it (on Linux: to root, or with CAP_SYS_NICE); else nothing changes. */
export function goFirst(): void {
  try {
    setPriority(constants.priority.PRIORITY_ABOVE_NORMAL);
  } catch {
    // All are equal then.
  }
}
