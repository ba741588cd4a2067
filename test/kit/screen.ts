/** What a terminal shows of what was written to it: lines, carriage returns, the cursor moved up, the rest of the screen erased. */
export function screenOf(written: string): readonly string[] {
  const rows: string[] = [''];
  let [row, column] = [0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told by
  for (const [piece] of written.matchAll(/\x1b\[(\d*)([A-Za-z])|\r|\n|[^\x1b\r\n]+/g)) {
    if (piece === '\n') [row, column] = [row + 1, 0];
    else if (piece === '\r') column = 0;
    else if (piece.endsWith('A') && piece.startsWith('\x1b')) row = Math.max(0, row - Number(piece.slice(2, -1) || 1));
    else if (piece === '\x1b[J') rows.splice(row, rows.length, (rows[row] ?? '').slice(0, column));
    else {
      const before = (rows[row] ?? '').padEnd(column);
      rows[row] = `${before.slice(0, column)}${piece}${before.slice(column + piece.length)}`;
      column += piece.length;
    }
    while (rows.length <= row) rows.push('');
  }
  return rows.map((text) => text.trimEnd());
}
