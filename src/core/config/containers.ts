/** The containers of a version, field by field as the thesis names them. Checked now; a later version starts them. */
import { z } from 'zod';
import * as is from './values.ts';

/** Where a Docker engine listens. Which keys belong together is checked in `rules.ts`. */
export const dockerHost = is.object({
  ip: is.host().optional(),
  port: is.port().optional(),
  socketPath: is.text().optional(),
});

const HOST_PORT = 'a port, as a number or a string of digits';

/** The engine's API has ports as strings; people write numbers. */
const hostPort = z.union(
  [
    is.whole(0, 65_535, HOST_PORT),
    is.checked(HOST_PORT, (value) => /^\d{0,5}$/.test(value) && Number(value) <= 65_535),
  ],
  { error: HOST_PORT },
);

const binding = is.object({
  HostIp: is.anyText().optional(),
  HostPort: hostPort.optional(),
  hostIp: is.anyText().optional(),
  hostPort: hostPort.optional(),
});

const PORT_KEY = '"portBindings" keys must be of the form "80/tcp"';

export const containerSchema = is.object({
  image: is.text(),
  tag: is.text().default('latest'),
  alwaysPull: is.flag().default(false),
  portToProxy: is.port().optional(),
  name: is.text().optional(),
  workingDir: is.text().optional(),
  entrypoint: is.list(is.anyText()).optional(),
  environment: is.list(is.anyText()).optional(),
  cmd: is.list(is.anyText()).optional(),
  hostname: is.text().optional(),
  volumes: is.list(is.text()).optional(),
  volumesFrom: is
    .list(is.checked('a container name with ":ro", ":rw" or nothing', (value) => /^[^:]+(:r[ow])?$/.test(value)))
    .optional(),
  portBindings: z
    .record(z.string().regex(/^\d{1,5}(\/(tcp|udp|sctp))?$/, { error: PORT_KEY }), is.list(binding), {
      error: (issue) => (issue.code === 'invalid_key' ? PORT_KEY : 'an object'),
    })
    .optional(),
  links: is.list(is.text()).optional(),
  user: is.text().optional(),
  memory: is.whole(0).optional(),
  cpuShares: is.whole(0).optional(),
  lxcConf: is.list(is.object({ key: is.text(), value: is.anyText() })).optional(),
  privileged: is.flag().default(false),
  dockerHost: dockerHost.optional(),
});
