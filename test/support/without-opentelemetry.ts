// The program as it is where OpenTelemetry's packages were left out at the installation.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier !== '@opentelemetry/sdk-trace') return next(specifier, context);
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' });
  },
});
await import('../../src/main.ts');
