/** A bar chart as a small SVG that is readable on light and on dark pages. */

export interface Picture {
  /** The file's name without `.svg`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The bar that the page is about. */
  readonly isOurs: boolean;
}

const WIDTH = 760;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 80;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const TOP = 34;

export function chart({ title, unit, bars }: Picture): string {
  const height = TOP + bars.length * ROW_HEIGHT + 6;
  const most = Math.max(...bars.map((bar) => bar.high));
  const scale = (value: number): number => Math.round((value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * 10) / 10;
  const rows = bars.map((bar, index) => row(bar, TOP + index * ROW_HEIGHT, scale));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #3d444d; }
.title { font-weight: 600; }
.bar { fill: #9aa4b0; }
.ours { fill: #2f81f7; }
.spread { stroke: #3d444d; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d7e0; }
  .bar { fill: #656c76; }
  .spread { stroke: #d1d7e0; }
}
</style>
<text class="title" x="0" y="16">${escaped(`${title}, ${unit}`)}</text>
${rows.join('\n')}
</svg>
`;
}

function row({ name, value, low, high, isOurs }: Bar, top: number, scale: (value: number) => number): string {
  const middle = top + BAR_HEIGHT / 2;
  const [from, to] = [LABEL_WIDTH + scale(low), LABEL_WIDTH + scale(high)];
  return `<text x="${LABEL_WIDTH - 10}" y="${middle + 4.5}" text-anchor="end">${escaped(name)}</text>
<rect class="bar${isOurs ? ' ours' : ''}" x="${LABEL_WIDTH}" y="${top}" width="${scale(value)}" height="${BAR_HEIGHT}" rx="2"/>
<path class="spread" d="M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8"/>
<text x="${to + 8}" y="${middle + 4.5}">${shown(value)}</text>`;
}

/** Three digits are all that a measurement has. */
function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
