// The sample upstream as a program, for docker-compose.yml: port 3000 on every address until SIGTERM.
import { startSampleUpstream } from '../support/sample-upstream.ts';

const upstream = await startSampleUpstream({ host: '0.0.0.0', port: 3_000 });
console.log(`sample upstream on port ${upstream.port}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void upstream.close());
