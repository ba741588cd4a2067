/** kamal-proxy with one processor; measured where a binary is on the PATH. */
import { spawnSync } from 'node:child_process';
import { freePort } from '../../test/kit/ports.ts';
import { ENV, outputOf, startServer } from '../process.ts';
import type { Peer } from './peer.ts';

export const kamalProxy: Peer = {
  name: 'kamal-proxy',
  packages: {},
  version: () => outputOf('kamal-proxy', ['version']) || 'kamal-proxy',
  async start({ folder, port, upstreamPort }) {
    // Its state and its control socket are in these folders.
    const env = { GOMAXPROCS: '1', HOME: folder, XDG_CONFIG_HOME: folder, XDG_RUNTIME_DIR: folder, TMPDIR: folder };
    const args = ['run', '--http-port', String(port), '--https-port', String(await freePort())];
    const running = await startServer('kamal-proxy', args, port, env);
    const target = ['deploy', 'application', '--target', `127.0.0.1:${upstreamPort}`, '--health-check-path', '/'];
    const { status, stderr } = spawnSync('kamal-proxy', target, { env: { ...ENV, ...env }, encoding: 'utf8' });
    if (status !== 0) throw new Error(`kamal-proxy deploy failed: ${stderr}`);
    return running;
  },
};
