import type { DriverErrorRow } from './error-codes-infrastructure.ts';

/**
 * What the server answers to a statement of ours: it takes no writes, a lock is in the way, or the
 * schema is another one.
 */
export const transactionErrors: readonly DriverErrorRow[] = [
  {
    kind: 'read-only',
    reason: 'the database is read-only',
    codes: {
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
  },
  {
    kind: 'read-only',
    reason: "the server is not its group's primary, or not online in it",
    codes: {
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
  {
    kind: 'lock',
    reason: 'deadlock, again and again',
    codes: {
      // What a server answers that checks snapshots (MariaDB's innodb_snapshot_isolation).
      ER_CHECKREAD: 1020,
      ER_LOCK_DEADLOCK: 1213,
      ER_XA_RBDEADLOCK: 1614,
      ER_USER_LOCK_DEADLOCK: 3058,
      // Group replication: another member has changed the same rows.
      ER_TRANSACTION_ROLLBACK_DURING_COMMIT: 3101,
      ER_LOCKING_SERVICE_DEADLOCK: 3132,
    },
  },
  {
    kind: 'lock',
    reason: 'a lock was not released in time',
    codes: {
      ER_LOCK_WAIT_TIMEOUT: 1205,
      ER_XA_RBTIMEOUT: 1613,
      ER_LOCK_ABORTED: 1689,
      ER_LOCKING_SERVICE_TIMEOUT: 3133,
      ER_LOCK_NOWAIT: 3572,
    },
  },
  {
    kind: 'schema',
    reason: 'a table or the schema is missing: have the migrations run?',
    codes: {
      ER_BAD_DB_ERROR: 1049,
      ER_UNKNOWN_TABLE: 1109,
      ER_NO_SUCH_TABLE: 1146,
      ER_NO_SUCH_DB: 3503,
    },
  },
  {
    kind: 'schema',
    reason:
      'a table has other columns than this version of the service: has a migration run, or not yet?',
    codes: {
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
  },
  {
    kind: 'schema',
    reason: 'a routine is missing or has changed: have the migrations run?',
    codes: {
      ER_CANT_FIND_UDF: 1122,
      ER_FUNCTION_NOT_DEFINED: 1128,
      ER_SP_DOES_NOT_EXIST: 1305,
      ER_SP_WRONG_NO_OF_ARGS: 1318,
      ER_FUNC_INEXISTENT_NAME_COLLISION: 1630,
    },
  },
  {
    kind: 'schema',
    reason: 'the database user lacks a right: have the grants run?',
    codes: {
      ER_DBACCESS_DENIED_ERROR: 1044,
      ER_TABLEACCESS_DENIED_ERROR: 1142,
      ER_COLUMNACCESS_DENIED_ERROR: 1143,
      ER_SPECIFIC_ACCESS_DENIED_ERROR: 1227,
      ER_PROCACCESS_DENIED_ERROR: 1370,
      // The definer of a view, a trigger or a routine.
      ER_NO_SUCH_USER: 1449,
    },
  },
];
