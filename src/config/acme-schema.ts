// The part of the schema about authorities: the `acme` section.
import { z } from 'zod';
import { parseAcmeDirectory, parseEmail, parseHmacKey } from './acme.ts';
import { PUBLIC_DIRECTORIES } from './defaults.ts';
import { reading } from './parsed.ts';
import { file, mapping, one, someText, text, yesOrNo } from './schema-parts.ts';

export const DIRECTORY_FORMS = `an https:// URL, or ${Object.keys(PUBLIC_DIRECTORIES).join(', ')}`;

const PROFILE_FORMS = 'the name of a profile, or a mapping with name and required';
const profileName = someText('the name of a profile such as tlsserver').meta({
  examples: ['classic', 'tlsserver', 'shortlived'],
});

/** draft-ietf-acme-profiles */
export const profile = z.union(
  [
    profileName.transform((name) => ({ name, required: undefined })),
    mapping({
      name: profileName.describe('As the authority calls it.'),
      required: yesOrNo
        .optional()
        .describe('Fail when the authority does not offer it. Default false: a warning, and the order goes without.'),
    }),
  ],
  { error: PROFILE_FORMS },
);

/** A directory's URL, from its URL or short name. */
export const directory = text(DIRECTORY_FORMS)
  .meta({ examples: Object.keys(PUBLIC_DIRECTORIES) })
  .transform(reading(parseAcmeDirectory));

const authority = mapping({
  email: text('an address such as ops@example.com')
    .transform(reading(parseEmail))
    .optional()
    .describe('Where the authority may write about this account.'),
  directory: directory
    .optional()
    .describe('Directory URL, or letsencrypt (default), letsencrypt-staging, zerossl, google.'),
  trust: file
    .optional()
    .describe("PEM file with the CA certificates that authenticate the ACME server itself. Default: Node's roots."),
  binding: mapping({
    keyId: someText('the key ID from the web site of the authority').describe('The key ID.'),
    hmacKey: someText('the HMAC key from the web site of the authority, in base64url')
      .transform(reading(parseHmacKey))
      .describe('The HMAC key, in base64url. Secret.'),
  })
    .optional()
    .describe('External account binding from the web site of the authority; zerossl and google want one.'),
  profile: profile
    .optional()
    .describe('Profile of certificates whose site names none, such as tlsserver. Default: the authority chooses.'),
  preferredChain: someText('the common name of a root certificate')
    .optional()
    .describe('Common name of the root that clients should be led to, where the authority offers several chains.'),
});

export const acme = z.union([one(authority), z.array(authority).min(1, { error: 'at least one authority' })], {
  error: 'a mapping with email, directory, trust, binding, profile, preferredChain, or a list of such mappings',
});
