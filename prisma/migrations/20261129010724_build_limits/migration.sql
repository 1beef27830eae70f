-- AlterTable
ALTER TABLE "services" ADD COLUMN     "build_cpus" DOUBLE PRECISION,
ADD COLUMN     "build_disk_mb" INTEGER,
ADD COLUMN     "build_pids" INTEGER,
ADD COLUMN     "build_silence_seconds" INTEGER;
