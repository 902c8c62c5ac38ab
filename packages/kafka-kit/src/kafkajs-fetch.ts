import { createRequire } from 'node:module';
import { readRecordBatches, type Fetched } from './record-batches.ts';

interface Decoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface Broker {
  fetch(request: object): Promise<unknown>;
  listOffsets(request: object): Promise<unknown>;
}

const require = createRequire(import.meta.url);

/**
 * kafkajs 2.2.4 ends the consumer at a codec other than gzip, reads headers in quadratic time and into a plain object (a header
 * named `constructor` gives a function), and hides the offsets of transaction markers, so that they are never committed. Its
 * reader of record batches is replaced before any response loads it.
 */
const decodeMessages = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
require(decodeMessages);
const cached = require.cache[decodeMessages];
if (cached === undefined) throw new Error('kafkajs has no reader of record batches where it was');
cached.exports = async (decoder: Decoder): Promise<Fetched[]> => {
  const size = decoder.readInt32();
  return size > 0 && decoder.canReadBytes(size) ? readRecordBatches(decoder.readBytes(size)) : [];
};

/**
 * Everything reads uncommitted, up to the high watermark: an outbox row is committed in MySQL whatever its Kafka transaction does,
 * and behind a transaction that hangs a reader of committed records would stand still and believe that it has no lag.
 */
const { prototype } = require('kafkajs/src/broker') as { readonly prototype: Broker };
const readUncommitted = 0;
for (const name of ['fetch', 'listOffsets'] as const) {
  const send = prototype[name];
  prototype[name] = function sendUncommitted(this: Broker, request: object) {
    return send.call(this, { ...request, isolationLevel: readUncommitted });
  };
}
