-- AlterTable
ALTER TABLE "workers" ADD COLUMN     "warnings" TEXT[] DEFAULT ARRAY[]::TEXT[];
