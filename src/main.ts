#!/usr/bin/env node
// The command `perantara`. Nothing is imported before Node's version is known to be new enough, and this file itself
// keeps to what Node 12 can read.

process.exitCode = 1; // until a verb has said otherwise: an event loop that runs dry is a failure

import('./cli/node-version.ts').then(({ nodeVersionProblem }) => {
  const problem = nodeVersionProblem(process.version);
  if (problem !== null) {
    process.stderr.write(`${problem}\n`);
    return undefined;
  }
  return import('./cli/cli.ts').then(({ main }) => main(process.argv.slice(2)));
});
