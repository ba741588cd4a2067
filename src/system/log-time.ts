/** The wall clock with microseconds, as the thesis's log shows it. */

/** Microseconds since the Unix epoch. */
export type Wall = () => number;

/** How far the monotonic reading may be off the wall clock before it is anchored anew, milliseconds. */
const DRIFT_MAX_MS = 2;

/**
 * The machine's wall clock. Date.now has milliseconds only, so the microseconds come from the monotonic clock, anchored
 * to the wall; when someone sets the wall clock, the anchor follows.
 */
export function realWall(): Wall {
  let anchorMs = performance.timeOrigin;
  return () => {
    const monotonicMs = performance.now();
    const wallMs = Date.now();
    if (Math.abs(anchorMs + monotonicMs - wallMs) > DRIFT_MAX_MS) anchorMs = wallMs - monotonicMs;
    return Math.floor((anchorMs + monotonicMs) * 1000);
  };
}

/** Makes `2026/11/23 09:38:28.804241` (local time) of microseconds since the epoch. */
export function localStamps(): (wallUs: number) => string {
  let second = Number.NaN;
  let prefix = '';
  return (wallUs) => {
    const now = Math.floor(wallUs / 1e6);
    if (now !== second) {
      second = now;
      prefix = secondText(new Date(now * 1000));
    }
    return `${prefix}.${String(wallUs - now * 1e6).padStart(6, '0')}`;
  };
}

function secondText(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
