/** How the containers of a version come to run, for people: a line for each step, and on a terminal bars below them. */
import type { PutOptions, PutStep } from '../client.ts';
import { progressText } from '../core/containers/progress.ts';
import { ProgressView } from '../core/containers/progress-view.ts';
import { CLEAR, drawn } from '../system/live-lines.ts';
import type { Terminal } from './terminal.ts';

/** Tells it on standard error while `work` goes on; what changes is gone when that is over. */
export async function tellingProgress<T>(terminal: Terminal, work: (told: PutOptions) => Promise<T>): Promise<T> {
  if (terminal.columns() === null) return work({ onProgress: (line) => terminal.err(`${line}\n`) });
  const view = new ProgressView();
  const onStep = (step: PutStep): void => {
    if (step.kind !== 'accepted' && step.kind !== 'waiting') view.take(step);
    const waits = step.kind === 'waiting' ? [`waiting (${step.seconds} s)`] : [];
    terminal.err(`${CLEAR}${whatStays(step)}${drawn([...view.lines(), ...waits], terminal.columns() || COLUMNS)}`);
  };
  return work({ onStep }).finally(() => terminal.err(CLEAR));
}

/** Where a terminal does not tell its width. */
const COLUMNS = 80;

/** The bars tell the rest. */
function whatStays(step: PutStep): string {
  if (step.kind === 'accepted') return `accepted ${step.id}\n`;
  if (step.kind === 'waiting' || step.kind === 'layer' || step.kind === 'pulling') return '';
  return `${progressText(step)}\n`;
}
