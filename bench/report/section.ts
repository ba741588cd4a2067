/** What a case hands back: a part of the page, and how it stands to what must be reached. */
import type { Picture } from './chart.ts';

export interface Section {
  readonly title: string;
  /** Markdown below the title. */
  readonly text: string;
  readonly picture?: Picture;
  readonly targets: readonly Target[];
}

export interface Target {
  readonly what: string;
  /** In words, with the unit: `1.25 × HAProxy`. */
  readonly limit: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** A target that is a ratio. */
export function ratioTarget(
  what: string,
  limit: number,
  of: { readonly name: string; readonly ratio: number },
): Target {
  const { name, ratio } = of;
  return {
    what,
    limit: `${limit.toFixed(2)} × ${name}`,
    measured: `${ratio.toFixed(2)} × ${name}`,
    isMet: ratio <= limit,
  };
}
