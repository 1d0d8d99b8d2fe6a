// `perantara help [VERB]`.
import { loadVerb } from './cli.ts';
import { UsageError, type Verb } from './verb.ts';

const OVERVIEW = `perantara - an HTTPS reverse proxy that gets its own certificates

Usage: perantara VERB [FLAGS]

  run       serve the sites of a configuration file
  validate  check a configuration file: every mistake, with line and column
  status    say how the running process, its certificates and targets fare
  top       show its sites, targets and errors, live
  target    take a target out of service, or back: target drain, target enable
  reload    make the running process load its file again
  proxy     serve one site without a file: --from HOST --to TARGET
  certs     list certificates; renew, revoke, import, trust: help certs
  check     say what keeps a name from its certificate, before it is asked for
  explain   say what would become of a request, and why
  schema    write the JSON Schema of the configuration file, for editors
  version   print the version
  help      print this, or the help of a verb: perantara help run

The file is ./perantara.yaml or ./config/perantara.yaml unless --config FILE
names another (docs/configuration.md). The shortest one:

  sites:
    app.example.com: http://127.0.0.1:3000
`;

export const helpVerb: Verb = {
  name: 'help',
  help: OVERVIEW,
  flags: {},
  words: ['[VERB]', '[VERB]'],
  run: async (_flags, terminal, [name, ...more]) => {
    if (name === undefined) terminal.out(OVERVIEW);
    else {
      const { verb, rest } = await loadVerb([name, ...more]);
      if (rest.length > 0)
        throw new UsageError(`cannot use ${JSON.stringify(rest[0])}: one verb is explained at a time`);
      terminal.out(verb.help);
    }
    return 0;
  },
};
