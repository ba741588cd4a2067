/**
 * The echo of the configuration at start: the file's text, then what it was understood as, in the thesis's shape
 * (section 6.1). Secrets are masked in both.
 */
import { createScanner, type Node, parseTree } from 'jsonc-parser';
import { hostPort } from './address.ts';
import { maskVariable } from './container-spec.ts';
import { SECRET_KEYS } from './issues.ts';
import type { Config } from './model.ts';

/** The ports in use, where the configuration asks for any free one by 0. */
export interface BoundPorts {
  readonly proxy: number;
  readonly configService: number;
}

/** Several lines, without a line end after the last. `text` is the source that `config` was parsed from. */
export function echoConfig(config: Config, text: string, bound?: BoundPorts): string {
  const { proxy, configService, cluster } = config;
  const servers = cluster.servers.map((server) => hostPort(server.host, server.port));
  const where = (servers.length > 0 ? servers : cluster.containers.map(({ image }) => image)).join(', ');
  return [
    'Parsed config file:',
    maskSecrets(text).replace(/\r\n?/g, '\n').trim(),
    'as:',
    'Proxy{',
    `  Proxy Address:      ${hostPort(proxy.hostname, bound?.proxy ?? proxy.port)}`,
    `  ConfigService Port: ${bound?.configService ?? configService.port}`,
    `  Proxied Servers:    version: ${cluster.version} [${where}]`,
    '}',
  ].join('\n');
}

interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** The text of a configuration without its secrets; layout and comments stay. */
function maskSecrets(text: string): string {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const root = parseTree(source, [], { allowTrailingComma: true });
  const edits = root === undefined ? [] : secretEdits(root, null);
  return apply(source, [...edits, ...commentEdits(source)]);
}

/** `under` is the secret key that the node is the value of, or null. */
function secretEdits(node: Node, under: string | null): Edit[] {
  if (node.type === 'property') {
    const [name, value] = node.children ?? [];
    const key = String(name?.value);
    return value === undefined ? [] : secretEdits(value, SECRET_KEYS.includes(key) ? key : under);
  }
  if (node.children !== undefined) return node.children.flatMap((child) => secretEdits(child, under));
  if (under === null || node.type === 'null') return [];
  const shown = under === 'environment' ? maskVariable(String(node.value)) : '***';
  return [{ offset: node.offset, length: node.length, text: JSON.stringify(shown) }];
}

/** A secret that was commented out is still one: such comments are shown empty. */
function commentEdits(text: string): Edit[] {
  const edits: Edit[] = [];
  const scanner = createScanner(text);
  for (let token = scanner.scan(); token !== EOF; token = scanner.scan()) {
    if (token !== LINE_COMMENT && token !== BLOCK_COMMENT) continue;
    const [offset, length] = [scanner.getTokenOffset(), scanner.getTokenLength()];
    if (!SECRET_KEYS.some((key) => text.slice(offset, offset + length).includes(key))) continue;
    edits.push({ offset, length, text: token === LINE_COMMENT ? '// ***' : '/* *** */' });
  }
  return edits;
}

// jsonc-parser's SyntaxKind; its declaration is a const enum, which does not exist when the program runs.
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;
const EOF = 17;

function apply(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const edit of edits.toSorted((a, b) => b.offset - a.offset)) {
    result = result.slice(0, edit.offset) + edit.text + result.slice(edit.offset + edit.length);
  }
  return result;
}
