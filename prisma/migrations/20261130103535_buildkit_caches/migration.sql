-- AlterTable
ALTER TABLE "services" ADD COLUMN     "buildkit_cache_bytes" BIGINT DEFAULT 0,
ADD COLUMN     "buildkit_cache_used_at" TIMESTAMPTZ(3);
