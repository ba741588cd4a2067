/**
 * Proxies from npm, installed into `.tools/bench-peers` by the harness itself: they are no part of the project. Each is a
 * `node:http` server around the library, on the Node that runs the bench, as its documentation shows it, with a keep-alive agent.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startServer } from '../process.ts';
import type { Peer } from './peer.ts';

const FOLDER = join(import.meta.dirname, '../../.tools/bench-peers');
const VERSIONS = { 'http-proxy': '1.18.1', 'http-proxy-3': '2.0.1', httpxy: '0.5.6', 'fast-proxy': '2.2.0' } as const;

type Library = keyof typeof VERSIONS;

/** @param file the peer's own file, which serves when it is run */
export function npmPeer(library: Library, file: string): Peer {
  return {
    name: library,
    packages: {},
    version: () => `${library} ${VERSIONS[library]} on Node ${process.version}`,
    start({ port, upstreamPort }) {
      install();
      return startServer(process.execPath, [file, String(port), String(upstreamPort)], port, {
        NODE_ENV: 'production',
      });
    },
  };
}

/** Loads a library in the process that serves. */
export const requireLibrary: (library: Library) => unknown = createRequire(join(FOLDER, 'package.json'));

/** What http-proxy and its descendants share. */
interface ProxyLibrary {
  createProxyServer(options: object): { web(request: IncomingMessage, response: ServerResponse): unknown };
}

export function serveProxyServer(library: Library): void {
  const { createProxyServer } = requireLibrary(library) as ProxyLibrary;
  serve((target, agent) => {
    const proxy = createProxyServer({ target, agent });
    return (request, response) => proxy.web(request, response);
  });
}

/** Serves on the port of the command line, by the handler made for the upstream's address. */
export function serve(makeHandler: (upstream: string, agent: Agent) => Handler): void {
  const [port, upstreamPort] = process.argv.slice(2);
  const agent = new Agent({ keepAlive: true });
  const server = createServer(makeHandler(`http://127.0.0.1:${upstreamPort}`, agent));
  server.keepAliveTimeout = 75_000;
  server.listen(Number(port), '127.0.0.1', 4096);
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function install(): void {
  const missing = Object.entries(VERSIONS).filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length === 0) return;
  mkdirSync(FOLDER, { recursive: true });
  const names = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--prefix', FOLDER];
  const { status } = spawnSync('npm', ['install', ...options, ...names], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`Installing ${names.join(' ')} from npm failed`);
}

function installedVersion(name: string): string | null {
  try {
    const text = readFileSync(join(FOLDER, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { readonly version: string }).version;
  } catch {
    return null;
  }
}
