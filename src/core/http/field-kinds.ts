/**
 * The field names that the codec and the forwarding rules act on. A name is told apart once, while it is
 * scanned; from then on a field is known by a small number.
 */

/** What a field is to the proxy. Small, so that a set of kinds is a bit mask. */
export const kind = {
  other: 0,
  host: 1,
  connection: 2,
  /** Ends at each hop whether Connection names it or not (RFC 9110 section 7.6.1). */
  hop: 3,
  te: 4,
  transferEncoding: 5,
  upgrade: 6,
  contentLength: 7,
  expect: 8,
  /** Says who the client is; written by this proxy alone. */
  forwarded: 9,
  via: 10,
  date: 11,
  cookie: 12,
  setCookie: 13,
  authorization: 14,
  maxForwards: 15,
  /** A framing field spelled with underscores, which some servers read as the real one. */
  framingLookalike: 16,
} as const;

interface KnownName {
  readonly lowerName: string;
  readonly kind: number;
}

const known: readonly KnownName[] = [
  { lowerName: 'host', kind: kind.host },
  { lowerName: 'connection', kind: kind.connection },
  { lowerName: 'keep-alive', kind: kind.hop },
  { lowerName: 'proxy-connection', kind: kind.hop },
  { lowerName: 'http2-settings', kind: kind.hop },
  { lowerName: 'te', kind: kind.te },
  { lowerName: 'transfer-encoding', kind: kind.transferEncoding },
  { lowerName: 'upgrade', kind: kind.upgrade },
  { lowerName: 'content-length', kind: kind.contentLength },
  { lowerName: 'expect', kind: kind.expect },
  { lowerName: 'x-forwarded-for', kind: kind.forwarded },
  { lowerName: 'x-forwarded-proto', kind: kind.forwarded },
  { lowerName: 'x-forwarded-host', kind: kind.forwarded },
  { lowerName: 'forwarded', kind: kind.forwarded },
  { lowerName: 'via', kind: kind.via },
  { lowerName: 'date', kind: kind.date },
  { lowerName: 'cookie', kind: kind.cookie },
  { lowerName: 'set-cookie', kind: kind.setCookie },
  { lowerName: 'authorization', kind: kind.authorization },
  { lowerName: 'max-forwards', kind: kind.maxForwards },
];

/** The known names of each length. */
const byLength: (readonly KnownName[] | undefined)[] = [];
for (const name of known) byLength[name.lowerName.length] = [...(byLength[name.lowerName.length] ?? []), name];

/** The kind of the field name that stands in `bytes` from `from` to `to`. */
export function kindOfName(bytes: Uint8Array, from: number, to: number): number {
  const candidates = byLength[to - from];
  if (candidates === undefined) return kind.other;
  const first = (bytes[from] as number) | 0x20;
  for (let index = 0; index < candidates.length; index += 1) {
    const candidate = candidates[index] as KnownName;
    if (candidate.lowerName.charCodeAt(0) !== first) continue;
    const match = compare(bytes, from, candidate.lowerName);
    if (match === 'same') return candidate.kind;
    if (match === 'underscored') return underscored(candidate.kind);
  }
  return kind.other;
}

/** Servers that turn names into CGI variables cannot tell `_` from `-`. */
function underscored(nameKind: number): number {
  if (nameKind === kind.contentLength || nameKind === kind.transferEncoding) return kind.framingLookalike;
  return nameKind === kind.forwarded ? kind.forwarded : kind.other;
}

function compare(bytes: Uint8Array, from: number, name: string): 'same' | 'underscored' | 'different' {
  let match: 'same' | 'underscored' = 'same';
  for (let i = 1; i < name.length; i += 1) {
    const octet = bytes[from + i] as number;
    const wanted = name.charCodeAt(i);
    if (octet === wanted) continue;
    if (wanted === 0x2d && octet === 0x5f) match = 'underscored';
    else if (octet < 0x41 || octet > 0x5a || (octet | 0x20) !== wanted) return 'different';
  }
  return match;
}
