/**
 * What an error of the database driver means, whatever the statement was.
 *
 * - `infrastructure`: the server, the network or the disk; equal for every statement, so trying
 *   again later is right.
 * - `read-only`: the server takes no writes. The same, and the connection must be destroyed: after
 *   a switch-over it still stands on the old primary, and only a new one can find the new primary.
 * - `lock`: another transaction was in the way; running the transaction again is right.
 * - `schema`: a table, column, routine or right is not there (yet, or any more): most likely a
 *   deployment under way.
 *
 * Everything else is the statement's or its data's own failure.
 */
export type DriverErrorKind = 'infrastructure' | 'read-only' | 'lock' | 'schema';

/** A known error of the database driver. */
export interface DriverError {
  readonly kind: DriverErrorKind;
  /** For an operator. */
  readonly reason: string;
  /** The name of the code; a number where the driver knows no name for it. */
  readonly code: string;
}

/**
 * The codes that MySQL, the driver and Node answer with, by what they mean and by the reason that
 * an operator reads. Each code stands with its MySQL error number, or with 0 where Node or the
 * driver throws it.
 */
export const driverErrorCodes: Readonly<
  Record<DriverErrorKind, Readonly<Record<string, Readonly<Record<string, number>>>>>
> = {
  infrastructure: {
    // The server is away, stopping, or the link is cut.
    'the server refuses connections': { ECONNREFUSED: 0 },
    'the server does not answer': { ETIMEDOUT: 0, PROTOCOL_SEQUENCE_TIMEOUT: 0 },
    'the host cannot be reached': { EHOSTUNREACH: 0, EHOSTDOWN: 0 },
    'the network cannot be reached': { ENETUNREACH: 0, ENETDOWN: 0 },
    'the host name is not known': { ENOTFOUND: 0 },
    'the host name cannot be looked up now': { EAI_AGAIN: 0 },
    'the connection was cut': {
      ECONNRESET: 0,
      ECONNABORTED: 0,
      EPIPE: 0,
      PROTOCOL_CONNECTION_LOST: 0,
      ER_HANDSHAKE_ERROR: 1043,
      ER_FORCING_CLOSE: 1080,
      ER_ABORTING_CONNECTION: 1152,
      ER_NET_READ_ERROR_FROM_PIPE: 1154,
      ER_NET_FCNTL_ERROR: 1155,
      ER_NET_PACKETS_OUT_OF_ORDER: 1156,
      ER_NET_UNCOMPRESS_ERROR: 1157,
      ER_NET_READ_ERROR: 1158,
      ER_NET_READ_INTERRUPTED: 1159,
      ER_NET_ERROR_ON_WRITE: 1160,
      ER_NET_WRITE_INTERRUPTED: 1161,
      ER_NEW_ABORTING_CONNECTION: 1184,
      ER_MALFORMED_PACKET: 1835,
      // MariaDB's.
      ER_CONNECTION_KILLED: 1927,
      ER_SESSION_WAS_KILLED: 3169,
      ER_CLIENT_INTERACTION_TIMEOUT: 4031,
    },
    'the server refuses this host': {
      ER_BAD_HOST_ERROR: 1042,
      ER_HOST_IS_BLOCKED: 1129,
      ER_HOST_NOT_PRIVILEGED: 1130,
    },
    'the database is stopping or not available': {
      // What Galera answers while a node is not in its cluster.
      ER_UNKNOWN_COM_ERROR: 1047,
      ER_SERVER_SHUTDOWN: 1053,
      ER_NORMAL_SHUTDOWN: 1077,
      ER_GOT_SIGNAL: 1078,
      ER_SHUTDOWN_COMPLETE: 1079,
      ER_SERVER_ISNT_AVAILABLE: 3168,
    },
    'the query was killed': {
      ER_FILSORT_ABORT: 1028,
      ER_QUERY_INTERRUPTED: 1317,
      ER_STATEMENT_TIMEOUT: 1969,
      ER_QUERY_TIMEOUT: 3024,
    },
    // Too much at once.
    'the database has no connection left': {
      ER_CON_COUNT_ERROR: 1040,
      ER_CANT_CREATE_THREAD: 1135,
    },
    'the database user has reached a limit': {
      ER_TOO_MANY_USER_CONNECTIONS: 1203,
      ER_USER_LIMIT_REACHED: 1226,
    },
    'the database is out of memory': {
      ER_OUTOFMEMORY: 1037,
      ER_OUT_OF_SORTMEMORY: 1038,
      ER_OUT_OF_RESOURCES: 1041,
      ER_ZLIB_Z_MEM_ERROR: 1257,
      ER_ENGINE_OUT_OF_MEMORY: 3015,
      ER_STD_BAD_ALLOC_ERROR: 3044,
      ER_DA_OOM: 3950,
      ER_MDL_OUT_OF_RESOURCES: 3985,
      ER_DA_GLOBAL_CONN_LIMIT: 4081,
      ER_DA_CONN_LIMIT: 4082,
    },
    'a limit of the database is reached': {
      ER_TRANS_CACHE_FULL: 1197,
      ER_LOCK_TABLE_FULL: 1206,
      ER_MAX_PREPARED_STMT_COUNT_REACHED: 1461,
      ER_TOO_MANY_CONCURRENT_TRXS: 1637,
      ER_STMT_CACHE_FULL: 1705,
      ER_GNO_EXHAUSTED: 1775,
    },
    // Its disk and its files.
    'the disk of the database is full': {
      ER_DISK_FULL: 1021,
      ER_RECORD_FILE_FULL: 1114,
      ER_TEMP_FILE_WRITE_FAILURE: 1878,
      ER_INNODB_UNDO_LOG_FULL: 3019,
      ER_DISK_FULL_NOWAIT: 3675,
      ER_NO_SESSION_TEMP: 3884,
    },
    'the database cannot read or write its files': {
      ER_CANT_CREATE_FILE: 1004,
      ER_CANT_FIND_SYSTEM_REC: 1012,
      ER_CANT_GET_STAT: 1013,
      ER_CANT_LOCK: 1015,
      ER_CANT_OPEN_FILE: 1016,
      ER_FILE_NOT_FOUND: 1017,
      ER_CANT_READ_DIR: 1018,
      ER_ERROR_ON_CLOSE: 1023,
      ER_ERROR_ON_READ: 1024,
      ER_ERROR_ON_RENAME: 1025,
      ER_ERROR_ON_WRITE: 1026,
      ER_UNEXPECTED_EOF: 1039,
      ER_IO_READ_ERROR: 1810,
      ER_IO_WRITE_ERROR: 1811,
      ER_CANNOT_FIND_KEY_IN_KEYRING: 3185,
    },
    'the storage engine fails': {
      ER_GET_ERRNO: 1030,
      ER_NOT_KEYFILE: 1034,
      ER_OLD_KEYFILE: 1035,
      ER_CRASHED_ON_USAGE: 1194,
      ER_CRASHED_ON_REPAIR: 1195,
      ER_GET_ERRMSG: 1296,
      ER_GET_TEMPORARY_ERRMSG: 1297,
      ER_TABLE_NEEDS_UPGRADE: 1459,
      ER_AUTOINC_READ_FAILED: 1467,
      ER_TABLE_NEEDS_REBUILD: 1707,
      ER_INDEX_CORRUPT: 1712,
      ER_TABLESPACE_MISSING: 1812,
      ER_TABLESPACE_DISCARDED: 1814,
      ER_INTERNAL_ERROR: 1815,
      ER_INNODB_INDEX_CORRUPT: 1817,
      ER_TABLE_CORRUPT: 1877,
      ER_FILE_CORRUPT: 3000,
      ER_STORAGE_ENGINE_NOT_LOADED: 3003,
      ER_TABLESPACE_MISSING_WITH_NAME: 3510,
    },
    'the database cannot write its binlog': {
      ER_ERROR_DURING_COMMIT: 1180,
      ER_ERROR_DURING_ROLLBACK: 1181,
      ER_ERROR_DURING_FLUSH_LOGS: 1182,
      ER_BINLOG_ROW_LOGGING_FAILED: 1534,
      ER_BINLOG_FATAL_ERROR: 1593,
      ER_BINLOG_LOGGING_IMPOSSIBLE: 1598,
      ER_BINLOG_ROW_ENGINE_AND_STMT_ENGINE: 1661,
      ER_BINLOG_ROW_MODE_AND_STMT_ENGINE: 1662,
      ER_BINLOG_UNSAFE_AND_STMT_ENGINE: 1663,
      ER_BINLOG_ROW_INJECTION_AND_STMT_ENGINE: 1664,
      // READ COMMITTED on a server with binlog_format=STATEMENT.
      ER_BINLOG_STMT_MODE_AND_ROW_ENGINE: 1665,
      ER_BINLOG_ROW_INJECTION_AND_STMT_MODE: 1666,
      ER_BINLOG_MULTIPLE_ENGINES_AND_SELF_LOGGING_ENGINE: 1667,
      ER_RPL_ENCRYPTION_FAILED_TO_FETCH_KEY: 3784,
      ER_RPL_ENCRYPTION_KEY_NOT_FOUND: 3785,
      ER_RPL_ENCRYPTION_KEYRING_INVALID_KEY: 3786,
      ER_RPL_ENCRYPTION_HEADER_ERROR: 3787,
      ER_RPL_ENCRYPTION_FAILED_TO_ROTATE_LOGS: 3788,
      ER_RPL_ENCRYPTION_FAILED_TO_ENCRYPT: 3801,
    },
    // Nothing works with this login, whatever the statement.
    'the database refuses the login': {
      ER_ACCESS_DENIED_ERROR: 1045,
      ER_NOT_SUPPORTED_AUTH_MODE: 1251,
      ER_PLUGIN_IS_NOT_LOADED: 1524,
      ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 1698,
      ER_MUST_CHANGE_PASSWORD: 1820,
      ER_MUST_CHANGE_PASSWORD_LOGIN: 1862,
      ER_ACCESS_DENIED_CHANGE_USER_ERROR: 1873,
      ER_ACCOUNT_HAS_BEEN_LOCKED: 3118,
      ER_SECURE_TRANSPORT_REQUIRED: 3159,
      ER_DB_ACCESS_DENIED: 3879,
      ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK: 3955,
    },
  },
  'read-only': {
    'the database is read-only': {
      ER_OPEN_AS_READONLY: 1036,
      ER_READ_ONLY_TRANSACTION: 1207,
      ER_CANT_UPDATE_WITH_READLOCK: 1223,
      ER_OPTION_PREVENTS_STATEMENT: 1290,
      ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: 1792,
      ER_READ_ONLY_MODE: 1836,
      ER_INNODB_READ_ONLY: 1874,
      ER_INNODB_FORCED_RECOVERY: 1881,
      // A switch-over sets it beside read-only.
      ER_SERVER_OFFLINE_MODE: 3032,
      ER_SCHEMA_READ_ONLY: 3989,
    },
    "the server is not its group's primary, or not online in it": {
      ER_BEFORE_DML_VALIDATION_ERROR: 3098,
      ER_RUN_HOOK_ERROR: 3100,
      ER_GR_HOLD_WAIT_TIMEOUT: 3781,
      ER_GR_HOLD_KILLED: 3782,
      ER_GR_HOLD_MEMBER_STATUS_ERROR: 3783,
      ER_GRP_TRX_CONSISTENCY_NOT_ALLOWED: 3796,
      ER_GRP_TRX_CONSISTENCY_BEFORE: 3797,
      ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN: 3798,
      ER_GRP_TRX_CONSISTENCY_BEGIN_NOT_ALLOWED: 3799,
      ER_OPERATION_NOT_ALLOWED_ON_GR_SECONDARY: 4049,
      ER_OPERATION_NOT_ALLOWED_WHILE_PRIMARY_CHANGE_IS_RUNNING: 4094,
    },
  },
  lock: {
    'deadlock, again and again': {
      // What a server answers that checks snapshots (MariaDB's innodb_snapshot_isolation).
      ER_CHECKREAD: 1020,
      ER_LOCK_DEADLOCK: 1213,
      ER_XA_RBDEADLOCK: 1614,
      ER_USER_LOCK_DEADLOCK: 3058,
      // Group replication: another member has changed the same rows.
      ER_TRANSACTION_ROLLBACK_DURING_COMMIT: 3101,
      ER_LOCKING_SERVICE_DEADLOCK: 3132,
    },
    'a lock was not released in time': {
      ER_LOCK_WAIT_TIMEOUT: 1205,
      ER_XA_RBTIMEOUT: 1613,
      ER_LOCK_ABORTED: 1689,
      ER_LOCKING_SERVICE_TIMEOUT: 3133,
      ER_LOCK_NOWAIT: 3572,
    },
  },
  schema: {
    'a table or the schema is missing: have the migrations run?': {
      ER_BAD_DB_ERROR: 1049,
      ER_UNKNOWN_TABLE: 1109,
      ER_NO_SUCH_TABLE: 1146,
      ER_NO_SUCH_DB: 3503,
    },
    'a table has other columns than this version of the service: has a migration run, or not yet?':
      {
        ER_BAD_FIELD_ERROR: 1054,
        ER_WRONG_VALUE_COUNT: 1058,
        ER_WRONG_VALUE_COUNT_ON_ROW: 1136,
        ER_KEY_DOES_NOT_EXITS: 1176,
        ER_NON_UPDATABLE_TABLE: 1288,
        ER_NONUPDATEABLE_COLUMN: 1348,
        ER_VIEW_INVALID: 1356,
        ER_NO_DEFAULT_FOR_FIELD: 1364,
        ER_TABLE_DEF_CHANGED: 1412,
        ER_NO_DEFAULT_FOR_VIEW_FIELD: 1423,
        ER_NON_INSERTABLE_TABLE: 1471,
        ER_NEED_REPREPARE: 1615,
        ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN: 3105,
      },
    'a routine is missing or has changed: have the migrations run?': {
      ER_CANT_FIND_UDF: 1122,
      ER_FUNCTION_NOT_DEFINED: 1128,
      ER_SP_DOES_NOT_EXIST: 1305,
      ER_SP_WRONG_NO_OF_ARGS: 1318,
      ER_FUNC_INEXISTENT_NAME_COLLISION: 1630,
    },
    'the database user lacks a right: have the grants run?': {
      ER_DBACCESS_DENIED_ERROR: 1044,
      ER_TABLEACCESS_DENIED_ERROR: 1142,
      ER_COLUMNACCESS_DENIED_ERROR: 1143,
      ER_SPECIFIC_ACCESS_DENIED_ERROR: 1227,
      ER_PROCACCESS_DENIED_ERROR: 1370,
      // The definer of a view, a trigger or a routine.
      ER_NO_SUCH_USER: 1449,
    },
  },
};
