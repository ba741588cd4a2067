/** What the documents say of codes, examples and files is so. `docs/configuration.md` has its own test, beside the schema's. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCluster, parseConfig } from '../../src/core/config/parse.ts';
import { newCounters, valuesOf } from '../../src/core/counters.ts';
import { refusals } from '../../src/core/http/refusals.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8');

/** The contents of the fences of one language. */
function fences(document: string, language: string): string[] {
  return [...textOf(document).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text]) => `${text}`,
  );
}

/** What is wrong with an example: a whole configuration, or the body of a PUT. */
function faultsOf(example: string): readonly string[] {
  const parsed = example.includes('"proxy"') ? parseConfig(example) : parseCluster(example);
  return parsed.ok ? parsed.warnings : parsed.errors;
}

describe('docs/errors.md', () => {
  it('has the status and the text of every refusal of the codec', () => {
    const lines = new Set(textOf('docs/errors.md').split('\n'));
    const rows = Object.values(refusals).map(({ code, status, reason }) => `| \`${code}\` | ${status} | ${reason} |`);
    expect(rows.filter((row) => !lines.has(row))).toEqual([]);
  });

  it('names no code that is gone', () => {
    const known = new Set(Object.values(refusals).map(({ code }) => code));
    const named = [...textOf('docs/errors.md').matchAll(/^\| `([a-z0-9-]+)` \| \d{3} \|/gm)].map(
      ([, code]) => `${code}`,
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((code) => !known.has(code))).toEqual([]);
  });
});

describe('docs/errors.md, on containers', () => {
  const text = textOf('docs/errors.md');
  const section = text.slice(text.indexOf('\n## Containers'), text.indexOf('\n## The log'));
  const sources = ['docker', 'core/containers', 'core/release', 'control'].flatMap((folder) =>
    readdirSync(new URL(`../../src/${folder}/`, import.meta.url)).map((file) => textOf(`src/${folder}/${file}`)),
  );
  /** The parts of a message that stand fast. */
  const partsOf = (message: string): readonly string[] =>
    message
      .split(/…|\$\{(?:[^{}]|\{[^{}]*\})*\}/)
      .map((part) => part.trim())
      .filter((part) => part.length > 3);

  it('names no message that is gone', () => {
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const messages = rows.flatMap((row) =>
      [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, message]) => `${message}`),
    );
    const known = sources.join('\n');
    const isKnown = (part: string): boolean =>
      known.includes(part) || known.includes(part.charAt(0).toLowerCase() + part.slice(1));
    expect(messages.length).toBeGreaterThan(25);
    expect(messages.filter((message) => !partsOf(message).every(isKnown))).toEqual([]);
  });

  it('has each reason why containers are not started', () => {
    const faults = sources.flatMap((source) => [
      ...source.matchAll(/new (?:LaunchFault|EngineAway)\(`([^`]+)`/g),
      ...source.matchAll(/(?:ok: false, reason: |const reason = |return )`((?:The name|Host port|")[^`]+)`/g),
    ]);
    expect(faults.length).toBeGreaterThan(7);
    const missing = faults.filter(([, fault]) => !partsOf(`${fault}`).every((part) => section.includes(part)));
    expect(missing.map(([, fault]) => fault)).toEqual([]);
  });
});

describe('docs/limits.md', () => {
  it('names every counter, and none that is gone', () => {
    const text = textOf('docs/limits.md');
    const names = Object.keys(valuesOf(newCounters()));
    const plain = [...new Set(names.map((name) => name.replace(/\.\d+$/, '')))];
    expect(plain.filter((name) => !text.includes(`\`${name}`))).toEqual([]);
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    const named = rows.flatMap((line) => [...line.matchAll(/`((?:ownAnswers\.\d+)|[a-z]+[A-Z][A-Za-z]+|exhausted)`/g)]);
    expect(named.map(([, name]) => `${name}`).filter((name) => !names.includes(name))).toEqual([]);
    expect(named.length).toBeGreaterThan(15);
  });
});

describe('examples', () => {
  it.each(DOCUMENTS)('in JSON of %s are accepted', (document) => {
    expect(fences(document, 'json').flatMap(faultsOf)).toEqual([]);
  });

  it.each(DOCUMENTS)('of PUT in %s are accepted', (document) => {
    const bodies = [...textOf(document).matchAll(/-X PUT --data '(\{.*?\})'/g)].map(([, body]) => `${body}`);
    expect(bodies.flatMap(faultsOf)).toEqual([]);
  });

  it('are there', () => {
    expect(fences('README.md', 'json').length).toBe(2);
    expect(textOf('docs/rest-api.md')).toContain("-X PUT --data '{");
    expect(textOf('docs/modes.md')).toContain("-X PUT --data '{");
  });
});

describe('links', () => {
  it.each(DOCUMENTS)('of %s lead somewhere', (document) => {
    const links = [...textOf(document).matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => `${link}`);
    expect(links.filter((link) => !leadsSomewhere(document, link))).toEqual([]);
  });
});

function leadsSomewhere(document: string, link: string): boolean {
  if (/^https?:/.test(link)) return true;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || headings(target).includes(anchor);
}

/** Headings as forges turn them into anchors. */
function headings(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    `${heading}`
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
}
