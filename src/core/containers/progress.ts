/** What is told of the start of a version's containers, while it goes on. */

export type Progress =
  | { readonly kind: 'pulling'; readonly image: string }
  /** `current` of `total` bytes, where the engine tells them. */
  | {
      readonly kind: 'layer';
      readonly image: string;
      readonly layer: string;
      readonly status: string;
      readonly current: number | null;
      readonly total: number | null;
    }
  | { readonly kind: 'pulled'; readonly image: string; readonly digest: string | null }
  | { readonly kind: 'created'; readonly container: string; readonly image: string }
  | { readonly kind: 'started'; readonly container: string }
  /** It runs already: its own from before, or one that several versions share. */
  | { readonly kind: 'adopted'; readonly container: string }
  /** A line that it wrote in its first seconds, or its last ones when it failed. */
  | { readonly kind: 'output'; readonly container: string; readonly line: string };

/** One line for people. */
export function progressText(progress: Progress): string {
  switch (progress.kind) {
    case 'pulling':
      return `pulling ${progress.image}`;
    case 'layer':
      return `pulling ${progress.image}: ${progress.layer}: ${progress.status}${bytesText(progress)}`;
    case 'pulled':
      return `pulled ${progress.image}${progress.digest === null ? '' : ` (${progress.digest})`}`;
    case 'created':
      return `created ${progress.container} from ${progress.image}`;
    case 'started':
      return `started ${progress.container}`;
    case 'adopted':
      return `found ${progress.container} running`;
    case 'output':
      return `${progress.container}: ${progress.line}`;
  }
}

function bytesText({ current, total }: { readonly current: number | null; readonly total: number | null }): string {
  return current === null || total === null || total === 0 ? '' : ` ${megabytes(current)} of ${megabytes(total)} MB`;
}

export const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
