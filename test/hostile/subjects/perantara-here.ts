// Perantara as a subject in this process: what it throws is a failure of the test that runs.
import { startProxy } from '../../support/proxy-rig.ts';
import type { Setting } from '../hostile-case.ts';
import type { Subject, Upstreams } from '../subject.ts';

export async function startPerantaraHere({ publicPort, guardedPort }: Upstreams, setting: Setting): Promise<Subject> {
  const rig = await startProxy({
    sites: {
      'app.localhost': {
        routes: { '/admin/*': `http://127.0.0.1:${guardedPort}`, '/*': `http://127.0.0.1:${publicPort}` },
      },
    },
    ...(setting === 'trusting' ? { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] } : {}),
    ...(setting === 'impatient' ? { timeouts: { ...SHORT, handshake: '400ms' } } : {}),
    ...(setting === 'impatient behind TLS' ? { timeouts: SHORT } : {}),
  });
  return { port: rig.httpsPort, redirectPort: rig.httpPort, died: () => false, stop: () => rig.stop() };
}

const SHORT = {
  head: '400ms',
  bodyIdle: '400ms',
  keepAlive: '400ms',
  responseHead: '400ms',
  tunnelIdle: '400ms',
};
