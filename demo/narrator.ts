/** Tells on the terminal what happens: one short line per event, in columns, with a little colour where there is a terminal. */

const COLOURS = { plain: '', dim: '2', green: '32', yellow: '33', red: '31', bold: '1' } as const;
export type Colour = keyof typeof COLOURS;

const colourful = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

export class Narrator {
  #beganMs = performance.now();

  /** A heading; the clock of the lines below it starts at 0. */
  heading(title: string, story: string): void {
    this.#beganMs = performance.now();
    process.stdout.write(`\n${paint('bold', title.padEnd(12))}${story}\n`);
  }

  /** What happens now: when, what, and the particulars. */
  line(what: string, particulars: string, colour: Colour = 'plain'): void {
    const seconds = ((performance.now() - this.#beganMs) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${paint('dim', `${seconds}s`)}  ${paint(colour, what.padEnd(12))}${particulars}\n`);
  }

  /** A line without a time, outside of any mode. */
  say(text: string, colour: Colour = 'plain'): void {
    process.stdout.write(`${paint(colour, text)}\n`);
  }
}

function paint(colour: Colour, text: string): string {
  const code = COLOURS[colour];
  return colourful && code !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
}
