/** Where Kafka is and how to get in. */
export interface KafkaAccess {
  readonly brokers: readonly string[];
  /** SCRAM-SHA-512, only ever over TLS. */
  readonly login?: { readonly user: string; readonly password: string };
  /** PEM; without it the certificates that Node knows decide. */
  readonly ca?: string;
}
