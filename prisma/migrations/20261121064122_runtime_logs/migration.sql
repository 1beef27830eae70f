-- AlterTable
ALTER TABLE "log_lines" ADD COLUMN     "deployment_id" TEXT,
ADD COLUMN     "replica" INTEGER;

-- AlterTable
ALTER TABLE "log_streams" ADD COLUMN     "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "dropped" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "expired" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "trimmed_to" BIGINT NOT NULL DEFAULT 0;

-- CreateTable
CREATE TABLE "log_cursors" (
    "container_id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "stdout_ns" BIGINT NOT NULL DEFAULT 0,
    "stdout_count" INTEGER NOT NULL DEFAULT 0,
    "stderr_ns" BIGINT NOT NULL DEFAULT 0,
    "stderr_count" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "log_cursors_pkey" PRIMARY KEY ("container_id")
);

-- CreateIndex
CREATE INDEX "log_cursors_app_id_idx" ON "log_cursors"("app_id");

-- AddForeignKey
ALTER TABLE "log_cursors" ADD CONSTRAINT "log_cursors_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "services"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- By hand from here on: what schema.prisma cannot say.

-- What the trimming looks at. Neither names a column that appending changes, so that appending stays as cheap as it was.
CREATE INDEX "log_streams_of_apps" ON "log_streams"("id") WHERE "id" LIKE 'app:%';
CREATE INDEX "log_streams_of_builds" ON "log_streams"("created_at") WHERE NOT "expired" AND "id" NOT LIKE 'app:%';
