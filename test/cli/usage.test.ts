// Help, versions, and command lines that cannot be understood.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { MAIN, perantara, runHere } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'perantara-cli-'));
after(() => rmSync(folder, { recursive: true }));

const VERBS = [
  'run',
  'validate',
  'status',
  'top',
  'reload',
  'proxy',
  'certs',
  'check',
  'explain',
  'schema',
  'version',
  'help',
];
const VERBS_OF_TARGET = ['target drain', 'target enable'];
const VERBS_OF_CERTS = ['certs renew', 'certs revoke', 'certs import', 'certs roll-over', 'certs trust'];

describe('help', () => {
  it('fits a screen of 24 lines and 80 columns, for every verb', async () => {
    for (const args of [
      ['help'],
      ...[...VERBS, ...VERBS_OF_TARGET, ...VERBS_OF_CERTS].map((verb) => ['help', ...verb.split(' ')]),
    ]) {
      const { code, out, err } = await runHere(args, folder);
      assert.equal(code, 0);
      assert.equal(err, '');
      const lines = out.trimEnd().split('\n');
      assert.ok(lines.length <= 24, `${args}: ${lines.length} lines`);
      for (const line of lines) assert.ok(line.length <= 80, `${args}: ${line}`);
    }
  });

  it('is printed by the program itself, which ends with the code of the verb', () => {
    const { code, out } = perantara(['help'], folder);
    assert.equal(code, 0);
    assert.match(out, /^ {2}run /m);
    assert.equal(perantara(['halp'], folder).code, 2);
  });

  it('is the same however it is asked for', async () => {
    const overview = (await runHere(['help'], folder)).out;
    for (const args of [['--help'], ['-h'], ['help', 'help']])
      assert.equal((await runHere(args, folder)).out, overview);
    const ofRun = (await runHere(['help', 'run'], folder)).out;
    for (const args of [
      ['run', '--help'],
      ['run', '-h'],
      ['run', '--conifg', '--help'],
    ])
      assert.equal((await runHere(args, folder)).out, ofRun, `${args}`);
  });

  it('names every verb and every flag', async () => {
    const overview = (await runHere(['help'], folder)).out;
    for (const verb of VERBS) assert.match(overview, new RegExp(`^ {2}${verb} `, 'm'));
    for (const verb of VERBS_OF_TARGET) assert.ok(overview.includes(verb), verb);
    const ofCerts = (await runHere(['help', 'certs'], folder)).out;
    for (const verb of VERBS_OF_CERTS) assert.match(ofCerts, new RegExp(`^ {2}perantara ${verb} `, 'm'));
    const ofProxy = (await runHere(['help', 'proxy'], folder)).out;
    for (const flag of [
      'from',
      'to',
      'http',
      'https',
      'storage',
      'email',
      'acme-directory',
      'acme-trust',
      'log-level',
      'log-format',
    ])
      assert.match(ofProxy, new RegExp(`^ {2}--${flag} `, 'm'));
  });

  it('does not crash when nobody reads it to its end', () => {
    const command = `set -o pipefail; "${process.execPath}" "${MAIN}" help 2>&1 | head -1; echo "\${PIPESTATUS[0]}"`;
    const lines = execFileSync('bash', ['-c', command], { encoding: 'utf8' }).trim().split('\n');
    assert.match(lines[0]!, /^perantara - /);
    assert.equal(lines[1], '0');
    const closed = `"${process.execPath}" "${MAIN}" help >&- 2>&-; echo $?`;
    assert.equal(execFileSync('bash', ['-c', closed], { encoding: 'utf8' }).trim(), '0');
  });
});

describe('version', () => {
  it('prints the versions of the package and of Node', async () => {
    const { version } = JSON.parse(readFileSync(join(MAIN, '../../package.json'), 'utf8')) as { version: string };
    for (const args of [['version'], ['--version'], ['-v']])
      assert.equal((await runHere(args, folder)).out, `perantara ${version} (node ${process.version})\n`);
  });
});

describe('a command line that cannot be understood', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['without a verb', '', /^perantara: cannot start: no verb is given/],
    ['with a verb misspelt', 'rnu', /there is no such verb; did you mean run\?/],
    ['with an unknown verb', 'banana', /cannot use "banana": there is no such verb\n/],
    ['with a verb of the prototype', 'constructor', /there is no such verb/],
    ['with a word of a verb missing', 'target', /a word is missing, as in target drain or target enable/],
    ['with a flag before the verb', '--config x.yaml', /did you mean perantara run --config\?/],
    ['with a flag of proxy before the verb', '--from localhost', /did you mean perantara proxy --from\?/],
    ['with a flag misspelt', 'run --conifg x', /^perantara run: cannot use "--conifg": .*did you mean --config\?/],
    ['with a flag misspelt and its value attached', 'validate --cofnig=x', /did you mean --config\?/],
    ['with an unknown flag', 'run --banana', /cannot use "--banana": run has no such flag\n/],
    ['with a flag of the prototype', 'run --constructor', /no such flag/],
    ['with a short flag', 'run -c x', /did you mean --config\?/],
    ['with a flag of another verb', 'version --json', /version has no such flag/],
    ['with a value missing at the end', 'run --config', /--config alone: it needs a value, as in --config FILE/],
    ['with a value missing before a flag', 'run --config --log-level info', /--config alone: it needs a value/],
    ['with an empty value', 'run --config=', /--config alone: it needs a value/],
    ['with a value for a switch', 'certs --json=yes', /--json takes no value/],
    ['with a flag twice', 'run --config a --config b', /cannot use --config twice/],
    ['with a word too many', 'run perantara.yaml', /run takes flags only; did you mean --config perantara\.yaml\?/],
    ['with a word behind --', 'version -- x', /version takes flags only/],
    ['without the name to check', 'check', /^perantara check: cannot do anything: NAME is missing, as in check NAME\n/],
    ['with a name that is none', 'check a/b', /cannot check "a\/b": it is no host name/],
    ['with a resolver that is no address', 'check a.example --resolver x', /--resolver "x": it is no IP address/],
    ['with two verbs to help with', 'help run validate', /cannot use "validate": one verb is explained at a time/],
    [
      'with a verb of certs misspelt',
      'certs turst',
      /"certs turst": there is no such verb; did you mean certs trust\?/,
    ],
    [
      'with an unknown verb of certs',
      'certs banana',
      /"certs banana": there is no such verb; did you mean .*certs trust/,
    ],
    ['with a verb of certs without certs', 'trust', /did you mean certs trust\?/],
    [
      'with a word too many for a verb of certs',
      'certs trust x',
      /^perantara certs trust: .*certs trust takes flags only/,
    ],
    ['with a misspelt verb to help with', 'help rn', /did you mean run\?/],
    ['with a log level misspelt', 'run --log-level inof', /allowed are debug, info, .*did you mean info\?/],
    ['with an unknown log format', 'run --log-format xml', /allowed are json, pretty\n/],
    ['with --from missing', 'proxy --to 3000', /--from HOST is missing/],
    ['with --to missing', 'proxy --from localhost', /--to TARGET is missing/],
    ['with terminal escapes in it', 'run --\x1b[31mx', /cannot use "--\\u001b\[31mx"/],
  ];
  for (const [name, line, expected] of cases)
    it(`${name} ends with 2 and says what to type`, async () => {
      const { code, out, err } = await runHere(line === '' ? [] : line.split(' '), folder);
      assert.equal(code, 2);
      assert.equal(out, '');
      assert.match(err, expected);
      assert.match(err, /\nTry "perantara[a-z ]* --help"\.\n$/);
    });
});
