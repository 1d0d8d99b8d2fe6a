// The certificates that a name on the command line stands for.
import type { PlannedCertificate } from '../../certs/certificate-plan.ts';
import type { Config } from '../../config/config.ts';
import { normalizeHostPattern } from '../../core/hostname.ts';
import { suggest } from '../../core/suggest.ts';
import { UsageError } from '../verb.ts';

/** Two for a pair of key types. Throws UsageError for a name that is not in the file, is on demand, or has a certificate of its own. */
export async function findPlanned(word: string, config: Config): Promise<readonly PlannedCertificate[]> {
  const { planCertificates } = await import('../../certs/certificate-plan.ts');
  const name = normalizeHostPattern(word);
  const found = name === null ? [] : planCertificates(config).filter(({ names }) => names.includes(name));
  if (found.length > 0) return found;
  const shown = JSON.stringify(word);
  if (config.sites.some(({ host }) => host === name))
    throw new UsageError(`cannot use ${shown}: its certificate is supplied by you; replace the file`);
  const hosts = config.sites.map(({ host }) => host);
  const near = suggest(word, hosts);
  const guess = near === null ? '' : `; did you mean ${near}?`;
  const demand =
    config.onDemand == null ? '' : '; for one on demand, write a site of that name first, which takes it over';
  throw new UsageError(`cannot use ${shown}: no site of the configuration has that name${guess}${demand}`);
}
