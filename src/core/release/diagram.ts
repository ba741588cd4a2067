/** The transition table, printed: `docs/release-states.md` is this text. */
import { NEIGHBOUR_MOVES } from './settle.ts';
import type { VersionPhase } from './state.ts';
import { TABLE } from './transition.ts';

/** A Markdown page with a Mermaid diagram of the moves and a table of all events that a phase knows. */
export function releaseStatesPage(): string {
  return [
    '# The states of a version',
    '',
    'Made from the transition table in `src/core/release/transition.ts` and the moves of neighbours in',
    '`src/core/release/settle.ts` by `scripts/diagrams.ts`; edit those.',
    '',
    'An arrow says which events may move a version from one state to another. In brackets stands what a change of another',
    'version brings about.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...diagramLines().map((line) => `  ${line}`),
    '```',
    '',
    'Each state, the events that it knows, and where they may lead. An event that a state does not list is refused and changes',
    'nothing.',
    '',
    '| State | Event | May lead to |',
    '|---|---|---|',
    ...tableLines(),
    '',
  ].join('\n');
}

/** One arrow for each pair of states. */
function diagramLines(): readonly string[] {
  const arrows = new Map<string, string[]>();
  const add = (from: string, to: string, label: string) => {
    const key = `${from} --> ${to}`;
    arrows.set(key, [...(arrows.get(key) ?? []), label]);
  };
  for (const { phase, event, to } of cells()) {
    for (const target of to) add(phase === 'absent' ? '[*]' : phase, target, event);
  }
  for (const { from, to, when } of NEIGHBOUR_MOVES) {
    for (const phase of from) add(phase, to, `[${when}]`);
  }
  return [...arrows].map(([arrow, labels]) => `${arrow} : ${labels.join(', ')}`);
}

function tableLines(): readonly string[] {
  return cells().map(({ phase, event, to }) => {
    const where = phase === 'absent' ? '(unknown id)' : phase;
    return `| ${where} | ${event} | ${to.length === 0 ? 'stays' : to.join(', ')} |`;
  });
}

interface PrintedCell {
  readonly phase: string;
  readonly event: string;
  readonly to: readonly VersionPhase[];
}

function cells(): readonly PrintedCell[] {
  return Object.entries(TABLE).flatMap(([phase, row]) =>
    Object.entries(row).map(([event, { to }]) => ({ phase, event, to })),
  );
}
