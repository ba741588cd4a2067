/** From the documents of older formats to those of the next; what they lack is given to them. */

type Json = Readonly<Record<string, unknown>>;

/** By format: makes a document of that format one of the next. Throws, or makes what is not accepted, of one that is damaged. */
export type Migrations = Readonly<Record<number, (document: Json) => Json>>;

export const MIGRATIONS: Migrations = { 1: withContainers, 2: withSeen };

/** Format 1 knew versions by their servers only, no output of containers in the ledger and no images. */
function withContainers(document: Json): Json {
  return {
    ...document,
    versions: listOf(document.versions).map((version) => ({
      ...version,
      spec: { ...(version.spec as Json), containers: [], shownContainers: null },
      launch: null,
      replaces: null,
    })),
    ledger: listOf(document.ledger).map((entry) => ({ ...entry, output: [] })),
    quarantine: [],
  };
}

/** Format 2 did not know since when images have been seen. */
function withSeen(document: Json): Json {
  return { ...document, seen: [] };
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
